import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { readOrchestratorConfig } from "../../src/config.ts";
import type { KafkaConfig } from "../../src/kafka-config.ts";
import { KafkaError, KafkaForwarder } from "../../src/relay/kafka-forwarder.ts";
import { openingOf } from "../ledger/sample-events.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";
import { kafkaMissing, startKafkaBroker, type KafkaBroker } from "./kafka-broker.ts";
import { delivered, startTestRelay } from "./test-relay.ts";
import { checkTopic } from "./topic-check.ts";

const folder = mkdtempSync(join(tmpdir(), "soma-kafka-tls-"));
const at = (name: string): string => join(folder, name);

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
}

/** An authority, and two certificates of it: the broker's and a client's. A stranger's is its own authority. */
function makeCertificates(): void {
  const authority = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-x509", "-days", "2"];
  for (const name of ["ca", "stranger"])
    openssl("req", ...authority, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  writeFileSync(at("san"), "subjectAltName=IP:127.0.0.1");
  for (const name of ["broker", "client"]) {
    const request = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl("req", ...request, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san"];
    openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.pem`);
  }
  writeFileSync(at("broker.both"), readFileSync(at("broker.key"), "utf8") + readFileSync(at("broker.pem"), "utf8"));
}

const pemStores = (listener: string): Record<string, string> => ({
  [`listener.name.${listener}.ssl.keystore.type`]: "PEM",
  [`listener.name.${listener}.ssl.keystore.location`]: at("broker.both"),
  [`listener.name.${listener}.ssl.truststore.type`]: "PEM",
  [`listener.name.${listener}.ssl.truststore.location`]: at("ca.pem"),
});

function config(settings: Record<string, string>): KafkaConfig {
  const { kafka } = readOrchestratorConfig(settings);
  assert.ok(kafka);
  return kafka;
}

/** Delivers one session's first event through these settings and looks for it from outside. */
async function assertDelivers(broker: KafkaBroker, settings: KafkaConfig, session_id: string): Promise<void> {
  await using store = await openTemporaryLedger();
  await store.ledger.openSession(openingOf({ tenant: "tenant-a", session_id }));
  await using relay = await startTestRelay({ ledger: store.ledger, config: settings });
  await relay.kafka.forwarder.check(AbortSignal.timeout(20_000));
  await delivered(store.ledger);
  const [recorded] = await store.ledger.tail({ afterPosition: 0, limit: 1 });
  const report = await checkTopic(broker.address);
  assert.ok(recorded && recorded.event.id in report.digests);
  assert.deepEqual(report.problems, []);
}

/** The brokers refuse these settings: that is an error to whoever asks, again and again, and nothing worse. */
async function assertRefuses(settings: KafkaConfig): Promise<void> {
  const forwarder = new KafkaForwarder(settings);
  try {
    for (let times = 0; times < 3; times += 1) {
      await assert.rejects(forwarder.check(AbortSignal.timeout(20_000)), KafkaError);
      await assert.rejects(forwarder.send([{ key: "k", value: "{}" }]), KafkaError);
    }
  } finally {
    await forwarder.close();
  }
}

suite("brokers with TLS and a login", { skip: kafkaMissing }, () => {
  before(makeCertificates);
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("SASL_SSL with SCRAM: the right password delivers, a wrong one or a stranger's certificate ends nothing", async () => {
    await using broker = await startKafkaBroker({
      secured: { name: "SECURED", protocol: "SASL_SSL" },
      properties: {
        ...pemStores("secured"),
        "listener.name.secured.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secured.scram-sha-512.sasl.jaas.config":
          "org.apache.kafka.common.security.scram.ScramLoginModule required;",
      },
      format: ["--add-scram", "SCRAM-SHA-512=[name=soma,password=right]"],
    });
    writeFileSync(at("right"), "right\n", { mode: 0o600 });
    writeFileSync(at("wrong"), "wrong\n", { mode: 0o600 });
    const settings = {
      KAFKA_BOOTSTRAP_SERVERS: broker.secured,
      KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
      KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
      KAFKA_SASL_USERNAME: "soma",
      KAFKA_SASL_PASSWORD_FILE: at("right"),
      KAFKA_SSL_CA_FILE: at("ca.pem"),
    };
    await assertRefuses(config({ ...settings, KAFKA_SASL_PASSWORD_FILE: at("wrong") }));
    await assertRefuses(config({ ...settings, KAFKA_SSL_CA_FILE: at("stranger.pem") }));
    await assertDelivers(broker, config(settings), "over-scram");
  });

  test("mutual TLS: the client's certificate delivers, none or a stranger's ends nothing", async () => {
    await using broker = await startKafkaBroker({
      secured: { name: "SECURED", protocol: "SSL" },
      properties: { ...pemStores("secured"), "listener.name.secured.ssl.client.auth": "required" },
    });
    const settings = {
      KAFKA_BOOTSTRAP_SERVERS: broker.secured,
      KAFKA_SECURITY_PROTOCOL: "SSL",
      KAFKA_SSL_CA_FILE: at("ca.pem"),
    };
    const own = { KAFKA_SSL_CERT_FILE: at("client.pem"), KAFKA_SSL_KEY_FILE: at("client.key") };
    const strangers = { KAFKA_SSL_CERT_FILE: at("stranger.pem"), KAFKA_SSL_KEY_FILE: at("stranger.key") };
    await assertRefuses(config(settings));
    await assertRefuses(config({ ...settings, ...strangers }));
    await assertDelivers(broker, config({ ...settings, ...own }), "over-mutual-tls");
  });
});
