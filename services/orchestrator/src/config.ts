import { accepted, ConfigError, readConfig } from "@soma/kit/config";
import type { LogLevel } from "@soma/kit/logger";
import { readKafkaConfig, type KafkaConfig } from "./kafka-config.ts";
import type { MasterKeySource } from "./contents/master-keys.ts";
import { databaseAccepted, OrchestratorSettings, type AuthMode } from "./settings.ts";

/** Where the ledger is; `address` is for people and holds no credentials. */
export type LedgerConfig =
  | { readonly store: "sqlite"; readonly file: string; readonly address: string }
  | { readonly store: "postgres"; readonly url: string; readonly address: string };

/** OrchestratorSettings as the orchestrator uses them: addresses resolved, files named. */
export interface OrchestratorConfig {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
  readonly worker: { readonly deploymentName?: string; readonly buildId?: string };
  readonly policyUrl: URL;
  /** Base of the identity service's paths. */
  readonly identityUrl: URL;
  readonly identityCredentialFile: string;
  /** Base of the model service's `/v1` paths. */
  readonly modelUrl: URL;
  readonly budgets: { readonly maxOutputTokens: number; readonly pricesFile: string | undefined };
  /** Base of the memory gateway's paths; undefined where sessions have no memory. */
  readonly memoryUrl: URL | undefined;
  readonly authMode: AuthMode;
  readonly gateway: { readonly required: boolean; readonly keyFile: string | undefined };
  readonly host: string;
  readonly port: number;
  readonly workerPort: number;
  readonly ledger: LedgerConfig;
  readonly workerKeyFile: string;
  /** Undefined where no brokers are named. */
  readonly kafka: KafkaConfig | undefined;
  readonly masterKeys: MasterKeySource;
  readonly codec: { readonly port: number; readonly uiOrigin: string | undefined };
  readonly maxEventStreams: number;
  readonly conversationBytes: number;
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
    budgets: { maxOutputTokens: settings.MODEL_MAX_OUTPUT_TOKENS, pricesFile: settings.MODEL_PRICES_FILE },
    memoryUrl:
      settings.MEMORY_GATEWAY_URL === undefined
        ? undefined
        : toUrl("MEMORY_GATEWAY_URL", settings.MEMORY_GATEWAY_URL, settings),
    authMode: settings.AUTH_MODE,
    gateway: gatewayTrust(settings),
    host: settings.HOST,
    port: settings.PORT,
    workerPort: settings.WORKER_PORT,
    ledger: ledgerConfig(settings.DATABASE_URL, settings.DATA_DIR),
    workerKeyFile: settings.WORKER_KEY_FILE ?? `${settings.DATA_DIR}/keys/worker.key`,
    kafka: readKafkaConfig(settings),
    masterKeys: masterKeySource(settings),
    codec: { port: settings.CODEC_PORT, uiOrigin: settings.CODEC_UI_ORIGIN },
    maxEventStreams: settings.MAX_EVENT_STREAMS,
    conversationBytes: settings.CONVERSATION_WINDOW_BYTES,
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
 * OrchestratorSettings that a later version will have. Ignoring one would be a promise that nobody keeps: an operator who names
 * a collector believes that traces arrive there.
 */
const notThereYet: Readonly<Record<string, string>> = {
  ENABLE_VOLCANO_SCHEDULER: "sessions run no batch jobs",
  OTEL_EXPORTER_OTLP_ENDPOINT: "traces are not exported",
};

function refuseWhatIsNotThere(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, instead] of Object.entries(notThereYet)) {
    const value = environment[name] ?? "";
    if (value !== "" && value !== "false")
      throw new ConfigError(`${name} is set; accepted: unset, because in this version ${instead}`);
  }
}

/** Without a key every request would be refused, and nobody could see why. */
function gatewayTrust({ REQUIRE_GATEWAY: required, GATEWAY_PUBLIC_KEY_FILE: keyFile }: OrchestratorSettings) {
  if (required && keyFile === undefined)
    throw new ConfigError("GATEWAY_PUBLIC_KEY_FILE is not set while REQUIRE_GATEWAY is true; accepted: a file");
  return { required, keyFile };
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

function modelUrl(settings: OrchestratorSettings): URL {
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

function masterKeySource(settings: OrchestratorSettings): MasterKeySource {
  const { CONTENT_MASTER_KEY: value, CONTENT_MASTER_KEY_FILE: file, DATA_DIR: dataDir } = settings;
  if (value !== undefined) return { variable: "CONTENT_MASTER_KEY", value };
  return { variable: "CONTENT_MASTER_KEY_FILE", path: file ?? `${dataDir}/keys/content-master.key` };
}

/** A text can fit its pattern and be no URL all the same, e.g. with a port of 99999. */
function toUrl(variable: keyof OrchestratorSettings, text: string, settings: OrchestratorSettings): URL {
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
