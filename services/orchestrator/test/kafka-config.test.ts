import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { readOrchestratorConfig } from "../src/config.ts";

const folder = mkdtempSync(join(tmpdir(), "soma-kafka-config-"));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}
const password = file("password", "a secret\n");
const open = file("open", "a secret", 0o644);
const empty = file("empty", "\n");
const pem = file("pem", "-----BEGIN", 0o644);
const key = file("key", "-----KEY");

const brokers = { KAFKA_BOOTSTRAP_SERVERS: "one:9093,two" };
const login = {
  KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
  KAFKA_SASL_USERNAME: "soma",
  KAFKA_SASL_PASSWORD_FILE: password,
};

test("unset brokers are no Kafka; named ones have a port, and a backlog that may be as large as said", () => {
  assert.equal(readOrchestratorConfig({}).kafka, undefined);
  assert.equal(readOrchestratorConfig({ KAFKA_BOOTSTRAP_SERVERS: "" }).kafka, undefined);
  assert.deepEqual(readOrchestratorConfig({ ...brokers }).kafka, {
    brokers: ["one:9093", "two:9092"],
    address: "one:9093,two:9092",
    backlogMax: 1_000_000,
  });
  assert.equal(readOrchestratorConfig({ ...brokers, AUDIT_BACKLOG_MAX: "7" }).kafka?.backlogMax, 7);
});

test("TLS and SASL are read with their files", () => {
  const { kafka } = readOrchestratorConfig({
    ...brokers,
    ...login,
    KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
    KAFKA_SSL_CA_FILE: pem,
    KAFKA_SSL_CERT_FILE: pem,
    KAFKA_SSL_KEY_FILE: key,
  });
  assert.deepEqual(kafka?.sasl, { mechanism: "SCRAM-SHA-512", username: "soma", password: "a secret" });
  assert.deepEqual(kafka.tls, { ca: "-----BEGIN", cert: "-----BEGIN", key: "-----KEY" });
  const plain = readOrchestratorConfig({ ...brokers, KAFKA_SECURITY_PROTOCOL: "SSL" }).kafka;
  assert.deepEqual([plain?.tls, plain?.sasl], [{}, undefined]);
});

const tls = { ...brokers, KAFKA_SECURITY_PROTOCOL: "SSL" };
const sasl = { ...brokers, ...login, KAFKA_SECURITY_PROTOCOL: "SASL_PLAINTEXT" };
const refused: readonly [variable: string, environment: Record<string, string>][] = [
  ["KAFKA_BOOTSTRAP_SERVERS", { KAFKA_BOOTSTRAP_SERVERS: "http://one:9092" }],
  ["KAFKA_BOOTSTRAP_SERVERS", { KAFKA_BOOTSTRAP_SERVERS: "one:9092, two:9092" }],
  ["KAFKA_BOOTSTRAP_SERVERS", { KAFKA_BOOTSTRAP_SERVERS: "one:99999" }],
  ["KAFKA_BOOTSTRAP_SERVERS", { KAFKA_BOOTSTRAP_SERVERS: "user:secret@one:9092" }],
  ["KAFKA_SECURITY_PROTOCOL", { ...brokers, KAFKA_SECURITY_PROTOCOL: "TLS" }],
  ["KAFKA_SECURITY_PROTOCOL", { KAFKA_SECURITY_PROTOCOL: "SSL" }],
  ["KAFKA_SASL_USERNAME", { KAFKA_SASL_USERNAME: "soma" }],
  ["KAFKA_SASL_MECHANISM", { ...tls, KAFKA_SASL_MECHANISM: "PLAIN" }],
  ["KAFKA_SASL_MECHANISM", { ...sasl, KAFKA_SASL_MECHANISM: "GSSAPI" }],
  ["KAFKA_SASL_MECHANISM", { ...sasl, KAFKA_SASL_MECHANISM: "" }],
  ["KAFKA_SASL_USERNAME", { ...sasl, KAFKA_SASL_USERNAME: "" }],
  ["KAFKA_SASL_PASSWORD_FILE", { ...sasl, KAFKA_SASL_PASSWORD_FILE: "" }],
  ["KAFKA_SASL_PASSWORD_FILE", { ...sasl, KAFKA_SASL_PASSWORD_FILE: open }],
  ["KAFKA_SASL_PASSWORD_FILE", { ...sasl, KAFKA_SASL_PASSWORD_FILE: empty }],
  ["KAFKA_SASL_PASSWORD_FILE", { ...sasl, KAFKA_SASL_PASSWORD_FILE: join(folder, "none") }],
  ["KAFKA_SSL_CA_FILE", { ...brokers, KAFKA_SSL_CA_FILE: pem }],
  ["KAFKA_SSL_CA_FILE", { ...sasl, KAFKA_SSL_CA_FILE: pem }],
  ["KAFKA_SSL_CA_FILE", { ...tls, KAFKA_SSL_CA_FILE: join(folder, "none") }],
  ["KAFKA_SSL_KEY_FILE", { ...tls, KAFKA_SSL_CERT_FILE: pem }],
  ["KAFKA_SSL_KEY_FILE", { ...tls, KAFKA_SSL_CERT_FILE: pem, KAFKA_SSL_KEY_FILE: open }],
  ["KAFKA_SSL_CERT_FILE", { ...tls, KAFKA_SSL_KEY_FILE: key }],
  ["AUDIT_BACKLOG_MAX", { ...brokers, AUDIT_BACKLOG_MAX: "0" }],
];
for (const [variable, environment] of refused) {
  const shown = JSON.stringify(environment).replaceAll(folder, "");
  test(`${shown} stops the start in one line that names ${variable}`, () => {
    assert.throws(
      () => readOrchestratorConfig(environment),
      (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.ok(error.message.startsWith(`${variable} is `), error.message);
        assert.match(error.message, /; accepted: /);
        assert.doesNotMatch(error.message, /secret@|a secret|\n/);
        return true;
      },
    );
  });
}
