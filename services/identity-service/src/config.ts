import { join } from "node:path";
import { ports } from "@soma/contracts/wire-names";
import { readConfig } from "@soma/kit/config";
import { logLevels, type LogLevel } from "@soma/kit/logger";
import { Type, type Static } from "typebox";

/** The variables that the service reads; also the source of the configuration reference. */
export const Environment = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: ports.identityService }),
  HOST: Type.String({ minLength: 1, default: "127.0.0.1" }),
  DATA_DIR: Type.String({
    minLength: 1,
    default: "./data/identity",
    accepted: "a folder that this service alone uses",
  }),
  REGISTRY_FILE: Type.String({ minLength: 1, default: "./infra/identity/registry.yaml", accepted: "a file" }),
  SERVICE_CREDENTIALS_DIR: Type.Optional(
    Type.String({ minLength: 1, accepted: "a folder; DATA_DIR/credentials if unset" }),
  ),
  TOTP_SECRETS_DIR: Type.Optional(Type.String({ minLength: 1, accepted: "a folder; DATA_DIR/totp if unset" })),
  ISSUER: Type.String({
    pattern: "^https?://[^\\s?#]+$",
    maxLength: 256,
    default: `http://127.0.0.1:${String(ports.identityService)}`,
    accepted: "an http(s) URL without query and fragment, the same on every instance",
  }),
  KEY_ROTATION_HOURS: Type.Integer({ minimum: 1, maximum: 24 * 365, default: 24 * 30 }),
  // At least the time that verifiers may keep the key set (300 s) and that our own instances need to see a new key.
  KEY_PREPUBLISH_SECONDS: Type.Integer({ minimum: 330, maximum: 86_400, default: 600 }),
  LOG_LEVEL: Type.Unsafe<LogLevel>(Type.String({ enum: logLevels, default: "info" })),
});

/** The settings of one instance. */
export type Settings = Required<Static<typeof Environment>>;

/** Reads the settings once. @throws ConfigError naming the variable and what is accepted. */
export function readSettings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const read = readConfig(Environment, environment);
  return {
    ...read,
    SERVICE_CREDENTIALS_DIR: read.SERVICE_CREDENTIALS_DIR ?? join(read.DATA_DIR, "credentials"),
    TOTP_SECRETS_DIR: read.TOTP_SECRETS_DIR ?? join(read.DATA_DIR, "totp"),
  };
}
