import { join } from "node:path";
import { ports } from "@soma/contracts/wire-names";
import { accepted, ConfigError, readConfig } from "@soma/kit/config";
import { logLevels, type LogLevel } from "@soma/kit/logger";
import { Type } from "typebox";

const origin = "^https?://[^\\s/?#@]+$";
const originAccepted = "an http:// or https:// URL without path and credentials";

/** The variables that the service reads; the configuration reference is generated from this. */
export const GatewaySettings = Type.Object({
  HOST: Type.String({ default: "127.0.0.1", minLength: 1, description: "Address to listen on." }),
  PORT: Type.Integer({
    default: ports.gateway,
    minimum: 0,
    maximum: 65_535,
    description: "Port to listen on; 0 takes a free one.",
  }),
  ORCHESTRATOR_URL: Type.String({
    default: `http://orchestrator:${String(ports.orchestrator)}`,
    pattern: origin,
    accepted: originAccepted,
    description: "Where requests are passed on to.",
  }),
  IDENTITY_SERVICE_URL: Type.String({
    default: `http://identity-service:${String(ports.identityService)}`,
    pattern: origin,
    accepted: originAccepted,
    description: "Who judges tokens; logins and the key set are passed on to it.",
  }),
  IDENTITY_CREDENTIAL_FILE: Type.Optional(
    Type.String({
      description:
        "File with the gateway's service credential at the identity service; only its owner may read it. Unset: `DATA_DIR/credentials/gateway`.",
    }),
  ),
  DATA_DIR: Type.String({
    default: "./data/gateway",
    minLength: 1,
    description:
      "Where the key of the hop tokens is: `keys/hop-key`, made at the first start, and its public half `keys/hop-key.pub`, which the orchestrator reads.",
  }),
  GATEWAY_ALLOWED_ORIGINS: Type.Optional(
    Type.String({
      pattern: "^https?://[^\\s/?#@,]+(,https?://[^\\s/?#@,]+)*$",
      accepted: "origins separated by commas, e.g. https://console.example",
      description: "Web pages of these origins may call from a browser (CORS). Unset: none.",
    }),
  ),
  GATEWAY_MAX_CONNECTIONS: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Connections of clients at once; further ones are closed unanswered.",
  }),
  GATEWAY_MAX_STREAMS: Type.Integer({
    default: 2_000,
    minimum: 0,
    maximum: 100_000,
    description: "Open streams of all tenants at once; further ones are refused with 429.",
  }),
  GATEWAY_UNKNOWN_PER_MINUTE: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 10_000_000,
    description:
      "Requests a minute of one client address without a token that is known to be good: logins, and tokens never seen before.",
  }),
  LOG_LEVEL: Type.Unsafe<LogLevel>(
    Type.String({ default: "info", enum: logLevels, description: "Least severe level that is logged." }),
  ),
});

/** The settings of one gateway, addresses read, files named. */
export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  readonly orchestratorUrl: URL;
  readonly identityUrl: URL;
  readonly credentialFile: string;
  readonly hopKeyFile: string;
  readonly allowedOrigins: readonly string[];
  readonly maxConnections: number;
  readonly maxStreams: number;
  readonly unknownPerMinute: number;
  readonly logLevel: LogLevel;
}

/** @throws ConfigError naming the variable that stops the start. */
export function readGatewayConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): GatewayConfig {
  const settings = readConfig(GatewaySettings, environment);
  return {
    host: settings.HOST,
    port: settings.PORT,
    orchestratorUrl: toUrl("ORCHESTRATOR_URL", settings.ORCHESTRATOR_URL),
    identityUrl: toUrl("IDENTITY_SERVICE_URL", settings.IDENTITY_SERVICE_URL),
    credentialFile: settings.IDENTITY_CREDENTIAL_FILE ?? join(settings.DATA_DIR, "credentials/gateway"),
    hopKeyFile: join(settings.DATA_DIR, "keys/hop-key"),
    allowedOrigins: settings.GATEWAY_ALLOWED_ORIGINS?.split(",") ?? [],
    maxConnections: settings.GATEWAY_MAX_CONNECTIONS,
    maxStreams: settings.GATEWAY_MAX_STREAMS,
    unknownPerMinute: settings.GATEWAY_UNKNOWN_PER_MINUTE,
    logLevel: settings.LOG_LEVEL,
  };
}

/** A text can fit its pattern and be no URL all the same, e.g. with a port of 99999. */
function toUrl(variable: "ORCHESTRATOR_URL" | "IDENTITY_SERVICE_URL", text: string): URL {
  const url = URL.parse(text);
  if (url) return url;
  throw new ConfigError(
    `${variable} is ${JSON.stringify(text)}; accepted: ${accepted(GatewaySettings.properties[variable])}`,
  );
}
