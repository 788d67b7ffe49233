import { join } from "node:path";
import { ports } from "@soma/contracts/wire-names";
import { accepted, ConfigError, readConfig } from "@soma/kit/config";
import { logLevels, type LogLevel } from "@soma/kit/logger";
import { Type } from "typebox";

const httpUrl = "^https?://[^\\s/?#@]+(/[^\\s?#]*)?$";
const httpAccepted = "an http:// or https:// URL without credentials";
const databaseAccepted = "postgres://user:password@host:port/database (or postgresql://…), or unset";

/** The variables that the service reads; the configuration reference is generated from this. */
export const MemorySettings = Type.Object({
  HOST: Type.String({ default: "127.0.0.1", minLength: 1, description: "Address to listen on." }),
  PORT: Type.Integer({
    default: ports.memoryGateway,
    minimum: 0,
    maximum: 65_535,
    description: "Port to listen on; 0 takes a free one.",
  }),
  IDENTITY_SERVICE_URL: Type.String({
    default: `http://identity-service:${String(ports.identityService)}`,
    pattern: httpUrl,
    accepted: httpAccepted,
    description: "Who judges tokens, and exchanges a caller's for one that the embedding service takes.",
  }),
  IDENTITY_CREDENTIAL_FILE: Type.Optional(
    Type.String({
      description:
        "File with this service's credential at the identity service; only its owner may read it. Unset: `DATA_DIR/credentials/memory-gateway`.",
    }),
  ),
  EMBEDDING_BASE_URL: Type.String({
    default: "http://127.0.0.1:8000",
    pattern: httpUrl,
    accepted: httpAccepted,
    description: "An OpenAI-compatible server of embeddings; `/v1/embeddings` is appended.",
  }),
  EMBEDDING_MODEL: Type.String({
    default: "all-minilm-l6-v2",
    minLength: 1,
    maxLength: 128,
    description:
      "The model that makes the vectors, of 384 numbers each. A database that was begun with one is not opened with another.",
  }),
  MEMORY_DATABASE_URL: Type.Optional(
    Type.String({
      writeOnly: true,
      pattern: "^postgres(ql)?://",
      accepted: databaseAccepted,
      description:
        "Where memories are. Unset: SQLite under `DATA_DIR`. PostgreSQL (15 or newer) needs the extension `vector`, which a superuser creates once.",
    }),
  ),
  MEMORY_MASTER_KEY_FILE: Type.Optional(
    Type.String({
      description:
        "File with the keys that wrap the subjects' keys, 32 bytes in base64, one a line, the current one first; owner-only. Unset: `DATA_DIR/keys/memory-master.key`, made at the first start. Without it no memory can be read again: keep a copy.",
    }),
  ),
  MEMORY_MAX_MEMORIES: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Memories of one user at most; further ones are refused.",
  }),
  MEMORY_MAX_PASSAGES: Type.Integer({
    default: 20_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Passages of one user at most, of all his memories: a passage is about 450 letters.",
  }),
  MEMORY_SWEEP_SECONDS: Type.Integer({
    default: 60,
    minimum: 1,
    maximum: 86_400,
    description: "How often memories whose time is over are removed; they are not returned in any case.",
  }),
  DATA_DIR: Type.String({
    default: "./data/memory-gateway",
    minLength: 1,
    description: "Where the SQLite database and the master key are.",
  }),
  LOG_LEVEL: Type.Unsafe<LogLevel>(
    Type.String({ default: "info", enum: logLevels, description: "Least severe level that is logged." }),
  ),
});
type Settings = Type.Static<typeof MemorySettings>;

/** Where memories are; `address` is for people and holds no credentials. */
export type StoreConfig =
  | { readonly store: "sqlite"; readonly file: string; readonly address: string }
  | { readonly store: "postgres"; readonly url: string; readonly address: string };

/** The settings of one memory gateway, addresses read, files named. */
export interface MemoryConfig {
  readonly host: string;
  readonly port: number;
  readonly identityUrl: URL;
  readonly credentialFile: string;
  readonly embeddings: { readonly url: URL; readonly model: string };
  readonly store: StoreConfig;
  readonly masterKeyFile: string;
  readonly bounds: { readonly memories: number; readonly passages: number };
  readonly sweepMs: number;
  readonly logLevel: LogLevel;
}

/** @throws ConfigError naming the variable that stops the start. */
export function readMemoryConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): MemoryConfig {
  const settings = readConfig(MemorySettings, environment);
  return {
    host: settings.HOST,
    port: settings.PORT,
    identityUrl: toUrl("IDENTITY_SERVICE_URL", settings.IDENTITY_SERVICE_URL),
    credentialFile: settings.IDENTITY_CREDENTIAL_FILE ?? join(settings.DATA_DIR, "credentials/memory-gateway"),
    embeddings: {
      // OpenAI's clients put `/v1` into their base URL, others do not: both are the same server.
      url: toUrl("EMBEDDING_BASE_URL", settings.EMBEDDING_BASE_URL.replace(/\/v1\/?$/, "")),
      model: settings.EMBEDDING_MODEL,
    },
    store: storeConfig(settings),
    masterKeyFile: settings.MEMORY_MASTER_KEY_FILE ?? join(settings.DATA_DIR, "keys/memory-master.key"),
    bounds: { memories: settings.MEMORY_MAX_MEMORIES, passages: settings.MEMORY_MAX_PASSAGES },
    sweepMs: settings.MEMORY_SWEEP_SECONDS * 1_000,
    logLevel: settings.LOG_LEVEL,
  };
}

function storeConfig({ MEMORY_DATABASE_URL: databaseUrl, DATA_DIR: dataDir }: Settings): StoreConfig {
  if (databaseUrl === undefined) {
    const file = join(dataDir, "memory.sqlite");
    return { store: "sqlite", file, address: file };
  }
  const url = URL.parse(databaseUrl);
  const database = url?.pathname.slice(1) ?? "";
  if (url === null || url.hostname === "" || database === "" || url.hash !== "")
    throw new ConfigError(`MEMORY_DATABASE_URL is <hidden>; accepted: ${databaseAccepted}`);
  return { store: "postgres", url: databaseUrl, address: `${url.hostname}:${url.port || "5432"}/${database}` };
}

/** A text can fit its pattern and be no URL all the same, e.g. with a port of 99999. */
function toUrl(variable: "IDENTITY_SERVICE_URL" | "EMBEDDING_BASE_URL", text: string): URL {
  const url = URL.parse(text);
  if (url) return url;
  throw new ConfigError(
    `${variable} is ${JSON.stringify(text)}; accepted: ${accepted(MemorySettings.properties[variable])}`,
  );
}
