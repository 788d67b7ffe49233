import { logLevels, type LogLevel } from "@soma/kit/logger";
import { defaultTaskQueue, ports } from "@soma/contracts/wire-names";
import { Type } from "typebox";
import { kafkaSettings } from "./kafka-config.ts";

const authModes = ["required", "loopback"] as const;
export type AuthMode = (typeof authModes)[number];

const httpUrl = "^https?://[^\\s/?#@]+(/[^\\s?#]*)?$";
export const databaseAccepted = "postgres://user:password@host:port/database (or postgresql://…), or unset";
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
  MODEL_MAX_OUTPUT_TOKENS: Type.Integer({
    default: 1_024,
    minimum: 1,
    maximum: 1_000_000,
    description:
      "The most that a model call may write where a budget or a tenant's quota bounds it; policy and the request can only ask for less. What is set aside for a call is this and its input.",
  }),
  MODEL_PRICES_FILE: Type.Optional(
    Type.String({
      description:
        "Prices of models, as YAML or JSON; read at the start. Unset: there are no prices, and a bound of money is refused with PRICE_UNKNOWN. API and workers have the same.",
    }),
  ),
  MEMORY_GATEWAY_URL: Type.Optional(
    Type.String({
      pattern: httpUrl,
      accepted: httpAccepted,
      description:
        "Base URL of the memory gateway. With it, sessions that the API starts recall before each answer and remember after it. API and workers have the same. Unset: sessions have no memory.",
    }),
  ),
  AUTH_MODE: Type.Unsafe<AuthMode>(
    Type.String({
      default: "required",
      enum: authModes,
      description:
        "`required`: callers' tokens are verified by the identity service. `loopback`: so are those that are sent, and without one the principal is what the body says, marked in every event; only on a loopback address and never in Kubernetes.",
    }),
  ),
  REQUIRE_GATEWAY: Type.Boolean({
    default: false,
    description:
      "`true`: only requests that carry the gateway's hop token are served, but for `/health`, `/ready` and `/metrics`; needs `GATEWAY_PUBLIC_KEY_FILE`.",
  }),
  GATEWAY_PUBLIC_KEY_FILE: Type.Optional(
    Type.String({
      description:
        "File with the public keys of the gateways, one JWK on each line or a JWK Set; looked at again when it changes. Unset: hop tokens say nothing.",
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
  MAX_EVENT_STREAMS: Type.Integer({
    default: 2_000,
    minimum: 0,
    maximum: 100_000,
    description:
      "Open event streams of one API process, of all tenants; further ones are refused with 429. What one tenant may have open stands in its quotas.",
  }),
  CONVERSATION_WINDOW_BYTES: Type.Integer({
    default: 4_096,
    minimum: 0,
    maximum: 10_000_000,
    description:
      "How much of a conversation the model is given again with each message, in bytes of its texts: the newest whole turns that fit. Keep it within the model's context.",
  }),
  LOG_LEVEL: Type.Unsafe<LogLevel>(
    Type.String({ default: "info", enum: logLevels, description: "Least severe level that is logged." }),
  ),
  KUBERNETES_SERVICE_HOST: Type.Optional(
    Type.String({ description: "Set by Kubernetes itself; with it, `AUTH_MODE=loopback` is refused." }),
  ),
});

export type OrchestratorSettings = Type.Static<typeof OrchestratorSettings>;
