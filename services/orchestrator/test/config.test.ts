import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { readOrchestratorConfig } from "../src/config.ts";

type Environment = Readonly<Record<string, string>>;

/** For a setting that stops the start: one line, that begins with the variable and holds all of these. */
function assertRefused(environment: Environment, variable: string, ...words: readonly string[]): void {
  assert.throws(
    () => readOrchestratorConfig(environment),
    (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.ok(error.message.startsWith(`${variable} is `), error.message);
      assert.ok(!error.message.includes("\n"), error.message);
      for (const word of words) assert.ok(error.message.includes(word), error.message);
      return true;
    },
    JSON.stringify(environment),
  );
}

test("with nothing set, everything has the default that was promised", () => {
  const config = readOrchestratorConfig({});
  assert.deepEqual(
    {
      ...config,
      policyUrl: config.policyUrl.href,
      identityUrl: config.identityUrl.href,
      modelUrl: config.modelUrl.href,
    },
    {
      temporal: { address: "localhost:7233", namespace: "default", taskQueue: "somagent.session.workflows" },
      policyUrl: "http://policy-engine:10020/v1/evaluate",
      identityUrl: "http://identity-service:10002/",
      identityCredentialFile: "./data/credentials/orchestrator",
      modelUrl: "http://127.0.0.1:8000/",
      budgets: { maxOutputTokens: 1_024, pricesFile: undefined },
      authMode: "required",
      gateway: { required: false, keyFile: undefined },
      host: "127.0.0.1",
      port: 10001,
      workerPort: 10011,
      ledger: { store: "sqlite", file: "./data/ledger.sqlite", address: "./data/ledger.sqlite" },
      worker: {},
      workerKeyFile: "./data/keys/worker.key",
      kafka: undefined,
      masterKeys: { variable: "CONTENT_MASTER_KEY_FILE", path: "./data/keys/content-master.key" },
      codec: { port: 10012, uiOrigin: undefined },
      maxEventStreams: 2_000,
      memoryUrl: undefined,
      conversationBytes: 4_096,
      logLevel: "info",
    },
  );
});

const temporal: readonly [environment: Environment, address: string][] = [
  [{ TEMPORAL_HOST: "temporal" }, "temporal:7233"],
  [{ TEMPORAL_HOST: "temporal:9999" }, "temporal:9999"],
  [{ TEMPORAL_TARGET_HOST: "temporal" }, "temporal:7233"],
  [{ TEMPORAL_TARGET_HOST: "temporal:9999" }, "temporal:9999"],
  [{ TEMPORAL_HOST: "temporal:1", TEMPORAL_TARGET_HOST: "temporal:1" }, "temporal:1"],
  [{ TEMPORAL_HOST: "temporal:1", TEMPORAL_TARGET_HOST: "" }, "temporal:1"],
  [{ TEMPORAL_HOST: "", TEMPORAL_TARGET_HOST: "temporal:1" }, "temporal:1"],
  [{ TEMPORAL_HOST: "10.0.0.1" }, "10.0.0.1:7233"],
  [{ TEMPORAL_HOST: "[::1]" }, "[::1]:7233"],
  [{ TEMPORAL_HOST: "[::1]:9999" }, "[::1]:9999"],
];

for (const [environment, address] of temporal) {
  test(`${JSON.stringify(environment)} is Temporal at ${address}`, () => {
    assert.equal(readOrchestratorConfig(environment).temporal.address, address);
  });
}

test("two addresses of Temporal that differ stop the start, and both are named", () => {
  assertRefused(
    { TEMPORAL_HOST: "one:1", TEMPORAL_TARGET_HOST: "two:2" },
    "TEMPORAL_TARGET_HOST",
    '"two:2"',
    "TEMPORAL_HOST",
    '"one:1"',
    "accepted: one of them, or the same value in both",
  );
});

test("an address of Temporal that is a URL or two words stops the start", () => {
  for (const variable of ["TEMPORAL_HOST", "TEMPORAL_TARGET_HOST"])
    for (const value of ["http://temporal:7233", "temporal 7233", "temporal/x"])
      assertRefused({ [variable]: value }, variable, JSON.stringify(value), "accepted: host or host:port");
});

const urls: readonly [variable: string, value: string, read: "policyUrl" | "identityUrl" | "modelUrl", href: string][] =
  [
    ["POLICY_ENGINE_URL", "http://p:1", "policyUrl", "http://p:1/v1/evaluate"],
    ["POLICY_ENGINE_URL", "http://p:1/", "policyUrl", "http://p:1/v1/evaluate"],
    ["POLICY_ENGINE_URL", "http://p:1/v1/evaluate", "policyUrl", "http://p:1/v1/evaluate"],
    ["POLICY_ENGINE_URL", "http://p:1/v1/evaluate/", "policyUrl", "http://p:1/v1/evaluate"],
    ["POLICY_ENGINE_URL", "https://p/base", "policyUrl", "https://p/base/v1/evaluate"],
    ["POLICY_ENGINE_URL", "https://p/base/v1/evaluate", "policyUrl", "https://p/base/v1/evaluate"],
    ["IDENTITY_SERVICE_URL", "http://i:1", "identityUrl", "http://i:1/"],
    ["IDENTITY_SERVICE_URL", "http://i:1/v1/tokens/issue", "identityUrl", "http://i:1/"],
    ["IDENTITY_SERVICE_URL", "http://i:1/v1/tokens/issue/", "identityUrl", "http://i:1/"],
    ["IDENTITY_SERVICE_URL", "https://i/base", "identityUrl", "https://i/base"],
    ["IDENTITY_SERVICE_URL", "https://i/base/v1/tokens/issue", "identityUrl", "https://i/base"],
    ["SLM_BASE_URL", "http://m:1", "modelUrl", "http://m:1/"],
    ["SLM_BASE_URL", "http://m:1/v1", "modelUrl", "http://m:1/"],
    ["SLM_BASE_URL", "http://m:1/v1/", "modelUrl", "http://m:1/"],
    ["SLM_BASE_URL", "https://m/base/v1", "modelUrl", "https://m/base"],
    ["RAY_ADDRESS", "auto", "modelUrl", "http://127.0.0.1:8000/"],
    ["RAY_ADDRESS", "ray-head:6379", "modelUrl", "http://ray-head:8000/"],
    ["RAY_ADDRESS", "ray-head:10001", "modelUrl", "http://ray-head:8000/"],
    ["RAY_ADDRESS", "http://serve:9000", "modelUrl", "http://serve:9000/"],
    ["RAY_ADDRESS", "https://serve", "modelUrl", "https://serve/"],
  ];

for (const [variable, value, read, href] of urls) {
  test(`${variable}=${value} is ${href}`, () => {
    assert.equal(readOrchestratorConfig({ [variable]: value })[read].href, href);
  });
}

test("SLM_BASE_URL wins over RAY_ADDRESS", () => {
  const { modelUrl } = readOrchestratorConfig({ SLM_BASE_URL: "http://slm:1", RAY_ADDRESS: "ray:6379" });
  assert.equal(modelUrl.href, "http://slm:1/");
});

test("what is no http URL stops the start and is shown without credentials", () => {
  for (const variable of ["POLICY_ENGINE_URL", "IDENTITY_SERVICE_URL", "SLM_BASE_URL"]) {
    for (const value of ["engine:10020", "ftp://x", "http://", "http:// x", "http://x?y=1", "http://x#y"])
      assertRefused({ [variable]: value }, variable, JSON.stringify(value), "accepted: an http:// or https:// URL");
    assert.throws(
      () => readOrchestratorConfig({ [variable]: "http://user:canary@x" }),
      (error) => error instanceof ConfigError && !/canary|user/.test(error.message),
    );
  }
});

test("a URL that only looks like one stops the start by the same kind of line", () => {
  for (const variable of ["POLICY_ENGINE_URL", "IDENTITY_SERVICE_URL", "SLM_BASE_URL", "RAY_ADDRESS"])
    for (const value of ["http://x:99999", "http://[::1", "http://a b".replace(" ", "%")])
      assertRefused({ [variable]: value }, variable, JSON.stringify(value), "accepted:");
});

test("an address of Ray that is none of its three forms stops the start", () => {
  for (const value of ["ray", "ray-head", "Auto", "ray://head:10001", "head:port", "head:6379/x"])
    assertRefused({ RAY_ADDRESS: value }, "RAY_ADDRESS", "auto, host:port of a Ray head, or the URL of Ray Serve");
});

test("loopback without authentication stays on this machine", () => {
  for (const HOST of ["127.0.0.1", "127.8.9.10", "localhost", "::1", ""])
    assert.equal(readOrchestratorConfig({ AUTH_MODE: "loopback", HOST }).authMode, "loopback");
  for (const HOST of [
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "192.168.1.1",
    "example.org",
    "127.0.0.1.example.org",
    "localhost.evil",
  ])
    assertRefused({ AUTH_MODE: "loopback", HOST }, "AUTH_MODE", `HOST is "${HOST}"`, "accepted: required");
});

test("loopback without authentication is refused in Kubernetes, on whichever address", () => {
  for (const HOST of ["127.0.0.1", "0.0.0.0"])
    assertRefused(
      { AUTH_MODE: "loopback", HOST, KUBERNETES_SERVICE_HOST: "10.96.0.1" },
      "AUTH_MODE",
      "inside Kubernetes",
      "accepted: required",
    );
  assert.equal(readOrchestratorConfig({ HOST: "0.0.0.0", KUBERNETES_SERVICE_HOST: "10.96.0.1" }).authMode, "required");
});

test("a gateway that is required has a key to be known by", () => {
  assert.deepEqual(readOrchestratorConfig({ REQUIRE_GATEWAY: "true", GATEWAY_PUBLIC_KEY_FILE: "/k" }).gateway, {
    required: true,
    keyFile: "/k",
  });
  assert.throws(
    () => readOrchestratorConfig({ REQUIRE_GATEWAY: "true" }),
    /^ConfigError: GATEWAY_PUBLIC_KEY_FILE is not set while REQUIRE_GATEWAY is true/,
  );
});

test("a memory gateway is named by its base URL, or there is none", () => {
  assert.equal(
    readOrchestratorConfig({ MEMORY_GATEWAY_URL: "http://memory:10018" }).memoryUrl?.href,
    "http://memory:10018/",
  );
  assert.equal(readOrchestratorConfig({ MEMORY_GATEWAY_URL: "" }).memoryUrl, undefined);
  for (const wrong of ["memory:10018", "http://user:secret@memory", "http://memory:99999"])
    assertRefused({ MEMORY_GATEWAY_URL: wrong }, "MEMORY_GATEWAY_URL", "accepted: an http:// or https:// URL");
});

test("there is no third way to authenticate", () => {
  for (const AUTH_MODE of ["none", "off", "Loopback", "disabled", "false"])
    assertRefused({ AUTH_MODE }, "AUTH_MODE", JSON.stringify(AUTH_MODE), "accepted: required, loopback");
});

const later: readonly [variable: string, value: string][] = [
  ["ENABLE_VOLCANO_SCHEDULER", "true"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4317"],
];

for (const [variable, value] of later) {
  test(`${variable} is a promise that this version cannot keep: it stops the start, its value is not shown`, () => {
    assertRefused({ [variable]: value }, variable, "accepted: unset");
    assert.throws(
      () => readOrchestratorConfig({ [variable]: value }),
      (error) => error instanceof ConfigError && !error.message.includes(value) && !error.message.includes("canary"),
    );
    readOrchestratorConfig({ [variable]: "" });
    readOrchestratorConfig({ [variable]: "false" });
  });
}

test("ports, level and folders are read, and a bad one is named", () => {
  const config = readOrchestratorConfig({
    PORT: "0",
    WORKER_PORT: "8091",
    LOG_LEVEL: "debug",
    DATA_DIR: "/var/lib/soma",
    TEMPORAL_NAMESPACE: "soma",
    TEMPORAL_TASK_QUEUE: "other",
  });
  assert.equal(config.port, 0);
  assert.equal(config.workerPort, 8091);
  assert.equal(config.logLevel, "debug");
  assert.equal(config.workerKeyFile, "/var/lib/soma/keys/worker.key");
  assert.equal(config.identityCredentialFile, "/var/lib/soma/credentials/orchestrator");
  assert.equal(config.temporal.namespace, "soma");
  assert.equal(config.temporal.taskQueue, "other");
  const files = readOrchestratorConfig({ WORKER_KEY_FILE: "/run/key", IDENTITY_CREDENTIAL_FILE: "/run/credential" });
  assert.equal(files.workerKeyFile, "/run/key");
  assert.equal(files.identityCredentialFile, "/run/credential");
  const keyFile = readOrchestratorConfig({ CONTENT_MASTER_KEY_FILE: "/run/master" });
  assert.deepEqual(keyFile.masterKeys, { variable: "CONTENT_MASTER_KEY_FILE", path: "/run/master" });
  const key = readOrchestratorConfig({ CONTENT_MASTER_KEY_FILE: "/run/master", CONTENT_MASTER_KEY: "a key" });
  assert.deepEqual(key.masterKeys, { variable: "CONTENT_MASTER_KEY", value: "a key" });
  const codec = readOrchestratorConfig({ CODEC_PORT: "0", CODEC_UI_ORIGIN: "http://127.0.0.1:8233" });
  assert.deepEqual(codec.codec, { port: 0, uiOrigin: "http://127.0.0.1:8233" });
  assertRefused({ CODEC_UI_ORIGIN: "*" }, "CODEC_UI_ORIGIN", '"*"', "an origin, e.g. http://127.0.0.1:8233");
  assertRefused({ PORT: "8o90" }, "PORT", '"8o90"', "a whole number from 0 to 65535");
  assertRefused({ WORKER_PORT: "65536" }, "WORKER_PORT", '"65536"', "a whole number from 0 to 65535");
  assertRefused({ LOG_LEVEL: "loud" }, "LOG_LEVEL", '"loud"', "fatal, error, warn, info, debug, trace, silent");
});
