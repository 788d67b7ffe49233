import { accepted, ConfigError, readConfig } from "@soma/kit/config";
import { logLevels, type LogLevel } from "@soma/kit/logger";
import { defaultTaskQueue, ports } from "@soma/contracts/wire-names";
import { Type } from "typebox";
import { kafkaSettings, readKafkaConfig, type KafkaConfig } from "./kafka-config.ts";
import type { MasterKeySource } from "./contents/master-keys.ts";

const authModes = ["required", "loopback"] as const;
type AuthMode = (typeof authModes)[number];

const httpUrl = "^https?://[^\\s/?#@]+(/[^\\s?#]*)?$";
const databaseAccepted = "postgres://user:password@host:port/database (or postgresql://…), or unset";
const httpAccepted = "an http:// or https:// URL without credentials";

/** The orchestrator's settings; the configuration reference is generated from this. */
export const OrchestratorSettings = Type.Object({
  TEMPORAL_HOST: Type.Optional(
    Type.String({
      pattern: "^[^\\s/]+$",
      accepted: "host or host:port",
      description: "Temporal frontend; `:7233` is appended when no port is given. Default `localhost:7233`.",
    }),
  ),
  TEMPORAL_TARGET_HOST: Type.Optional(
    Type.String({
      pattern: "^[^\\s/]+$",
      accepted: "host or host:port",
      description: "Alias of `TEMPORAL_HOST`; when both are set and differ, the start is refused.",
    }),
  ),
  TEMPORAL_NAMESPACE: Type.String({ default: "default", minLength: 1, description: "Temporal namespace." }),
  TEMPORAL_TASK_QUEUE: Type.String({
    default: defaultTaskQueue,
    minLength: 1,
    description: "Queue of the session workflows; the worker's `--task-queue` wins over it.",
  }),
  WORKER_DEPLOYMENT_NAME: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
      accepted: "letters, digits, hyphen and underscore, at most 64",
      description:
        "Turns on worker versioning under this name: running sessions stay with the code that they began on, new ones go to the version that `promote-worker` named last. Keep the old workers until their sessions have ended. Unset: any worker takes any session.",
    }),
  ),
  WORKER_BUILD_ID: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
      accepted: "letters, digits, dot, hyphen and underscore, at most 64",
      description: "What this version of the workers is called. Unset: made of the workflow code itself.",
    }),
  ),
  POLICY_ENGINE_URL: Type.String({
    default: `http://policy-engine:${String(ports.policyEngine)}`,
    pattern: httpUrl,
    accepted: httpAccepted,
    description: "Base URL (`/v1/evaluate` is appended) or the full URL.",
  }),
  IDENTITY_SERVICE_URL: Type.String({
    default: `http://identity-service:${String(ports.identityService)}`,
    pattern: httpUrl,
    accepted: httpAccepted,
    description: "Base URL (`/v1/tokens/issue` is appended) or the full URL.",
  }),
  IDENTITY_CREDENTIAL_FILE: Type.Optional(
    Type.String({
      description:
        "File with the orchestrator's service credential at the identity service; only its owner may read it. Unset: `DATA_DIR/credentials/orchestrator`.",
    }),
  ),
  RAY_ADDRESS: Type.String({
    default: "auto",
    pattern: "^(auto|[^\\s/@]+:\\d+|https?://[^\\s/?#@]+(/[^\\s?#]*)?)$",
    accepted: "auto, host:port of a Ray head, or the URL of Ray Serve",
    description:
      "Where the model runs: `auto` (Ray Serve on this machine), `host:port` of a Ray head (its Serve port 8000 is used), or `http(s)://…` of Ray Serve itself.",
  }),
  RAY_NAMESPACE: Type.String({
    default: "somagent",
    minLength: 1,
    description: "Ray namespace of the model application; read by the model service.",
  }),
  SLM_BASE_URL: Type.Optional(
    Type.String({
      pattern: httpUrl,
      accepted: httpAccepted,
      description: "Any OpenAI-compatible server instead of Ray; wins over `RAY_ADDRESS`.",
    }),
  ),
  AUTH_MODE: Type.Unsafe<AuthMode>(
    Type.String({
      default: "required",
      enum: authModes,
      description:
        "`required`: callers' tokens are verified by the identity service. `loopback`: the principal is what the body says, marked in every event; only on a loopback address and never in Kubernetes.",
    }),
  ),
  HOST: Type.String({ default: "127.0.0.1", minLength: 1, description: "Address to listen on." }),
  PORT: Type.Integer({
    default: ports.orchestrator,
    minimum: 0,
    maximum: 65_535,
    description: "Port to listen on; 0 takes a free one.",
  }),
  WORKER_PORT: Type.Integer({
    default: 10_011,
    minimum: 0,
    maximum: 65_535,
    description: "Port of a separate worker's probes and metrics; 0 takes a free one.",
  }),
  DATABASE_URL: Type.Optional(
    Type.String({
      writeOnly: true,
      pattern: "^postgres(ql)?://",
      accepted: databaseAccepted,
      description:
        "The ledger's database. Unset: SQLite under `DATA_DIR`. With PostgreSQL (15 or newer), API and workers may run on several machines; the role is an ordinary one that owns the database.",
    }),
  ),
  DATA_DIR: Type.String({
    default: "./data",
    minLength: 1,
    description: "Where the SQLite ledger and the workers' key are.",
  }),
  WORKER_KEY_FILE: Type.Optional(
    Type.String({
      description:
        "The workers' key (32 bytes or more, owner-only); all workers read the same. Unset: `DATA_DIR/keys/worker.key`, made at the first start.",
    }),
  ),
  ...kafkaSettings,
  CONTENT_MASTER_KEY: Type.Optional(
    Type.String({
      writeOnly: true,
      accepted: "32 random bytes in base64, or several such keys separated by commas, the current one first",
      description:
        "Master keys that wrap the content keys of data subjects; wins over `CONTENT_MASTER_KEY_FILE`. API, workers and codec server have the same.",
    }),
  ),
  CONTENT_MASTER_KEY_FILE: Type.Optional(
    Type.String({
      description:
        "File with the master keys in base64, one a line, the current one first; owner-only. Unset: `DATA_DIR/keys/content-master.key`, made at the first start. Without it no text can be read again: keep a copy.",
    }),
  ),
  CODEC_PORT: Type.Integer({
    default: ports.codecServer,
    minimum: 0,
    maximum: 65_535,
    description: "Port of the codec server, which decodes payloads for Temporal's UI and CLI; 0 takes a free one.",
  }),
  CODEC_UI_ORIGIN: Type.Optional(
    Type.String({
      pattern: "^https?://[^\\s/?#@]+$",
      accepted: "an origin, e.g. http://127.0.0.1:8233",
      description: "The one web page that may call the codec server from a browser: Temporal's UI. Unset: none.",
    }),
  ),
  LOG_LEVEL: Type.Unsafe<LogLevel>(
    Type.String({ default: "info", enum: logLevels, description: "Least severe level that is logged." }),
  ),
  KUBERNETES_SERVICE_HOST: Type.Optional(
    Type.String({ description: "Set by Kubernetes itself; with it, `AUTH_MODE=loopback` is refused." }),
  ),
});

type Settings = Type.Static<typeof OrchestratorSettings>;

/** Where the ledger is; `address` is for people and holds no credentials. */
export type LedgerConfig =
  | { readonly store: "sqlite"; readonly file: string; readonly address: string }
  | { readonly store: "postgres"; readonly url: string; readonly address: string };

/** Settings as the orchestrator uses them: addresses resolved, files named. */
export interface OrchestratorConfig {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
  readonly worker: { readonly deploymentName?: string; readonly buildId?: string };
  readonly policyUrl: URL;
  /** Base of the identity service's paths. */
  readonly identityUrl: URL;
  readonly identityCredentialFile: string;
  /** Base of the model service's `/v1` paths. */
  readonly modelUrl: URL;
  readonly authMode: AuthMode;
  readonly host: string;
  readonly port: number;
  readonly workerPort: number;
  readonly ledger: LedgerConfig;
  readonly workerKeyFile: string;
  /** Undefined where no brokers are named. */
  readonly kafka: KafkaConfig | undefined;
  readonly masterKeys: MasterKeySource;
  readonly codec: { readonly port: number; readonly uiOrigin: string | undefined };
  readonly logLevel: LogLevel;
}

/** @throws ConfigError naming the variable that stops the start. */
export function readOrchestratorConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): OrchestratorConfig {
  refuseWhatIsNotThere(environment);
  const settings = readConfig(OrchestratorSettings, environment);
  if (settings.AUTH_MODE === "loopback") refuseLoopbackInTheOpen(settings.HOST, settings.KUBERNETES_SERVICE_HOST);
  return {
    temporal: {
      address: temporalAddress(settings.TEMPORAL_HOST, settings.TEMPORAL_TARGET_HOST),
      namespace: settings.TEMPORAL_NAMESPACE,
      taskQueue: settings.TEMPORAL_TASK_QUEUE,
    },
    worker: {
      ...(settings.WORKER_DEPLOYMENT_NAME !== undefined && { deploymentName: settings.WORKER_DEPLOYMENT_NAME }),
      ...(settings.WORKER_BUILD_ID !== undefined && { buildId: settings.WORKER_BUILD_ID }),
    },
    policyUrl: toUrl("POLICY_ENGINE_URL", withPath(settings.POLICY_ENGINE_URL, "/v1/evaluate"), settings),
    identityUrl: toUrl(
      "IDENTITY_SERVICE_URL",
      settings.IDENTITY_SERVICE_URL.replace(/\/v1\/tokens\/issue\/?$/, ""),
      settings,
    ),
    identityCredentialFile: settings.IDENTITY_CREDENTIAL_FILE ?? `${settings.DATA_DIR}/credentials/orchestrator`,
    modelUrl: modelUrl(settings),
    authMode: settings.AUTH_MODE,
    host: settings.HOST,
    port: settings.PORT,
    workerPort: settings.WORKER_PORT,
    ledger: ledgerConfig(settings.DATABASE_URL, settings.DATA_DIR),
    workerKeyFile: settings.WORKER_KEY_FILE ?? `${settings.DATA_DIR}/keys/worker.key`,
    kafka: readKafkaConfig(settings),
    masterKeys: masterKeySource(settings),
    codec: { port: settings.CODEC_PORT, uiOrigin: settings.CODEC_UI_ORIGIN },
    logLevel: settings.LOG_LEVEL,
  };
}

/** The settings of a process whose command line names the queue, which then wins over the environment. */
export function readWorkerConfig(taskQueue: string | undefined): OrchestratorConfig {
  return readOrchestratorConfig({
    ...process.env,
    ...(taskQueue !== undefined && { TEMPORAL_TASK_QUEUE: taskQueue }),
  });
}

/**
 * Settings that a later version will have. Ignoring one would be a promise that nobody keeps: an operator who names
 * a collector believes that traces arrive there.
 */
const notThereYet: Readonly<Record<string, string>> = {
  ENABLE_VOLCANO_SCHEDULER: "sessions run no batch jobs",
  MEMORY_GATEWAY_URL: "sessions have no memory",
  OTEL_EXPORTER_OTLP_ENDPOINT: "traces are not exported",
};

function refuseWhatIsNotThere(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, instead] of Object.entries(notThereYet)) {
    const value = environment[name] ?? "";
    if (value !== "" && value !== "false")
      throw new ConfigError(`${name} is set; accepted: unset, because in this version ${instead}`);
  }
}

function temporalAddress(host: string | undefined, alias: string | undefined): string {
  if (host !== undefined && alias !== undefined && host !== alias) {
    throw new ConfigError(
      `TEMPORAL_TARGET_HOST is "${alias}" and TEMPORAL_HOST is "${host}"; accepted: one of them, or the same value in both`,
    );
  }
  const address = host ?? alias ?? "localhost:7233";
  return /:\d+$/.test(address) ? address : `${address}:7233`;
}

function modelUrl(settings: Settings): URL {
  const { SLM_BASE_URL: baseUrl, RAY_ADDRESS: rayAddress } = settings;
  // OpenAI's clients put `/v1` into their base URL, others do not: both are the same server.
  if (baseUrl !== undefined) return toUrl("SLM_BASE_URL", baseUrl.replace(/\/v1\/?$/, ""), settings);
  if (rayAddress === "auto") return new URL("http://127.0.0.1:8000");
  if (/^https?:/.test(rayAddress)) return toUrl("RAY_ADDRESS", rayAddress, settings);
  // Only Serve's HTTP is ever spoken to; the head's own port is for Ray's clients, which we are not.
  return toUrl("RAY_ADDRESS", `http://${rayAddress.replace(/:\d+$/, "")}:8000`, settings);
}

function ledgerConfig(databaseUrl: string | undefined, dataDir: string): LedgerConfig {
  if (databaseUrl === undefined) {
    const file = `${dataDir}/ledger.sqlite`;
    return { store: "sqlite", file, address: file };
  }
  const url = URL.parse(databaseUrl);
  const database = url?.pathname.slice(1) ?? "";
  if (url === null || url.hostname === "" || database === "" || url.hash !== "") {
    throw new ConfigError(`DATABASE_URL is <hidden>; accepted: ${databaseAccepted}`);
  }
  return { store: "postgres", url: databaseUrl, address: `${url.hostname}:${url.port || "5432"}/${database}` };
}

function masterKeySource(settings: Settings): MasterKeySource {
  const { CONTENT_MASTER_KEY: value, CONTENT_MASTER_KEY_FILE: file, DATA_DIR: dataDir } = settings;
  if (value !== undefined) return { variable: "CONTENT_MASTER_KEY", value };
  return { variable: "CONTENT_MASTER_KEY_FILE", path: file ?? `${dataDir}/keys/content-master.key` };
}

/** A text can fit its pattern and be no URL all the same, e.g. with a port of 99999. */
function toUrl(variable: keyof Settings, text: string, settings: Settings): URL {
  const url = URL.parse(text);
  if (url) return url;
  const { [variable]: schema } = OrchestratorSettings.properties;
  throw new ConfigError(`${variable} is ${JSON.stringify(settings[variable])}; accepted: ${accepted(schema)}`);
}

/** A base URL gets the path appended; a URL that already ends with it is the full one. */
function withPath(base: string, path: string): string {
  const trimmed = base.replace(/\/$/, "");
  return trimmed.endsWith(path) ? trimmed : trimmed + path;
}

function refuseLoopbackInTheOpen(host: string, kubernetes: string | undefined): void {
  const loopback = host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
  if (kubernetes !== undefined) throw new ConfigError('AUTH_MODE is "loopback" inside Kubernetes; accepted: required');
  if (!loopback)
    throw new ConfigError(`AUTH_MODE is "loopback" while HOST is "${host}"; accepted: required, or HOST=127.0.0.1`);
}
