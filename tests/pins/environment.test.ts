import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewaySettings } from "../../services/gateway/src/config.ts";
import { Environment } from "../../services/identity-service/src/config.ts";
import { MemorySettings } from "../../services/memory-gateway/src/config.ts";
import { readOrchestratorConfig } from "../../services/orchestrator/src/config.ts";
import { OrchestratorSettings } from "../../services/orchestrator/src/settings.ts";
import { Settings } from "../../services/policy-engine/src/config.ts";

/** Each variable of a settings schema with its default; `null` for none. */
function variablesOf(schema: { readonly properties: Readonly<Record<string, object>> }): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema.properties).map(([name, property]) => [
      name,
      new Map<string, unknown>(Object.entries(property)).get("default") ?? null,
    ]),
  );
}

test("the orchestrator's variables and their defaults", () => {
  assert.deepEqual(variablesOf(OrchestratorSettings), {
    TEMPORAL_HOST: null,
    TEMPORAL_TARGET_HOST: null,
    TEMPORAL_NAMESPACE: "default",
    TEMPORAL_TASK_QUEUE: "somagent.session.workflows",
    WORKER_DEPLOYMENT_NAME: null,
    WORKER_BUILD_ID: null,
    POLICY_ENGINE_URL: "http://policy-engine:10020",
    IDENTITY_SERVICE_URL: "http://identity-service:10002",
    IDENTITY_CREDENTIAL_FILE: null,
    RAY_ADDRESS: "auto",
    RAY_NAMESPACE: "somagent",
    SLM_BASE_URL: null,
    MODEL_MAX_OUTPUT_TOKENS: 1024,
    MODEL_PRICES_FILE: null,
    MEMORY_GATEWAY_URL: null,
    AUTH_MODE: "required",
    REQUIRE_GATEWAY: false,
    GATEWAY_PUBLIC_KEY_FILE: null,
    HOST: "127.0.0.1",
    PORT: 10001,
    WORKER_PORT: 10011,
    DATABASE_URL: null,
    DATA_DIR: "./data",
    WORKER_KEY_FILE: null,
    KAFKA_BOOTSTRAP_SERVERS: null,
    KAFKA_SECURITY_PROTOCOL: null,
    KAFKA_SASL_MECHANISM: null,
    KAFKA_SASL_USERNAME: null,
    KAFKA_SASL_PASSWORD_FILE: null,
    KAFKA_SSL_CA_FILE: null,
    KAFKA_SSL_CERT_FILE: null,
    KAFKA_SSL_KEY_FILE: null,
    AUDIT_BACKLOG_MAX: 1_000_000,
    CONTENT_MASTER_KEY: null,
    CONTENT_MASTER_KEY_FILE: null,
    CODEC_PORT: 10012,
    CODEC_UI_ORIGIN: null,
    MAX_EVENT_STREAMS: 2000,
    CONVERSATION_WINDOW_BYTES: 4096,
    LOG_LEVEL: "info",
    KUBERNETES_SERVICE_HOST: null,
  });
});

test("variables of later versions are known by name, so that none is ignored in silence", () => {
  for (const name of ["ENABLE_VOLCANO_SCHEDULER", "OTEL_EXPORTER_OTLP_ENDPOINT"])
    assert.throws(
      () => readOrchestratorConfig({ [name]: "x" }),
      (error) => error instanceof Error && error.name === "ConfigError" && error.message.startsWith(`${name} is set;`),
    );
});

test("the policy engine's variables and their defaults", () => {
  assert.deepEqual(variablesOf(Settings), {
    PORT: 10020,
    HOST: "127.0.0.1",
    POLICY_DIR: "./infra/policy",
    LOG_LEVEL: "info",
    DECISION_TTL_SECONDS: 60,
  });
});

test("the identity service's variables and their defaults", () => {
  assert.deepEqual(variablesOf(Environment), {
    PORT: 10002,
    HOST: "127.0.0.1",
    DATA_DIR: "./data/identity",
    REGISTRY_FILE: "./infra/identity/registry.yaml",
    SERVICE_CREDENTIALS_DIR: null,
    TOTP_SECRETS_DIR: null,
    ISSUER: "http://127.0.0.1:10002",
    KEY_ROTATION_HOURS: 720,
    KEY_PREPUBLISH_SECONDS: 600,
    LOG_LEVEL: "info",
  });
});

test("the gateway's variables and their defaults", () => {
  assert.deepEqual(variablesOf(GatewaySettings), {
    HOST: "127.0.0.1",
    PORT: 10000,
    ORCHESTRATOR_URL: "http://orchestrator:10001",
    IDENTITY_SERVICE_URL: "http://identity-service:10002",
    IDENTITY_CREDENTIAL_FILE: null,
    DATA_DIR: "./data/gateway",
    GATEWAY_ALLOWED_ORIGINS: null,
    GATEWAY_MAX_CONNECTIONS: 10_000,
    GATEWAY_MAX_STREAMS: 2_000,
    GATEWAY_UNKNOWN_PER_MINUTE: 600,
    LOG_LEVEL: "info",
  });
});

test("the memory gateway's variables and their defaults", () => {
  assert.deepEqual(variablesOf(MemorySettings), {
    HOST: "127.0.0.1",
    PORT: 10018,
    IDENTITY_SERVICE_URL: "http://identity-service:10002",
    IDENTITY_CREDENTIAL_FILE: null,
    EMBEDDING_BASE_URL: "http://127.0.0.1:8000",
    EMBEDDING_MODEL: "all-minilm-l6-v2",
    MEMORY_DATABASE_URL: null,
    MEMORY_MASTER_KEY_FILE: null,
    MEMORY_MAX_MEMORIES: 10_000,
    MEMORY_MAX_PASSAGES: 20_000,
    MEMORY_SWEEP_SECONDS: 60,
    DATA_DIR: "./data/memory-gateway",
    LOG_LEVEL: "info",
  });
});
