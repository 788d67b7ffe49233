import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadMasterKeys } from "../../services/orchestrator/src/contents/master-keys.ts";
import { openSqliteLedger } from "../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { kafkaMissing, startKafkaBroker } from "../../services/orchestrator/test/relay/kafka-broker.ts";
import { checkTopic, ledgerDigests } from "../../services/orchestrator/test/relay/topic-check.ts";
import { demoSession } from "../harness/api.ts";
import { startOrchestrator, type OrchestratorProcess } from "../harness/orchestrator-process.ts";
import { until } from "../harness/until.ts";

/** What every JWT of ours begins with: `{"alg":` in base64url. */
const tokenBegins = "eyJhbGciOi";
const canary = `canary${randomBytes(8).toString("hex")}`;
const prompt = (): ReturnType<typeof demoSession> => demoSession(`Repeat: ${canary}`, { metadata: { note: canary } });

interface Ready {
  readonly status: string;
  readonly missing: { readonly name: string; readonly address: string }[];
}

async function metric(process: OrchestratorProcess, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${process.api.url}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name}{`));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
}

test(
  "a ledger with a past gets brokers: all arrives once they are there, across a kill of the broker and of the relay",
  { skip: kafkaMissing },
  async (context) => {
    const dataDir = mkdtempSync(join(tmpdir(), "soma-kafka-e2e-"));
    context.after(() => rmSync(dataDir, { recursive: true, force: true }));

    // Without brokers nothing of Kafka is seen, and nothing is lost.
    const before = await startOrchestrator(context, { dataDir });
    const past = prompt();
    await before.api.start(past);
    await before.api.ended(past.metadata.session_id);
    const { status, body } = await before.api.request<Ready>("GET", "/ready");
    assert.deepEqual([status, body.status, body.missing], [200, "ready", []]);
    assert.equal(await metric(before, "soma_audit_backlog_events"), undefined);
    assert.equal(await before.stop(), 0);

    // Brokers that are named and away: degraded, sessions run, until as many events wait as may.
    const broker = await startKafkaBroker();
    context.after(() => broker[Symbol.asyncDispose]());
    await broker.kill();
    const env = { KAFKA_BOOTSTRAP_SERVERS: broker.address, AUDIT_BACKLOG_MAX: "8" };
    const door = await startOrchestrator(context, { entry: "main-api", dataDir, env });
    const { api, taskQueue } = door;
    const workerOptions = { entry: "main-worker", args: ["--task-queue", taskQueue], dataDir, env } as const;
    const worker = await startOrchestrator(context, workerOptions);
    for (const each of [door, worker]) {
      const ready = await until("ready without Kafka", async () => {
        const answer = await each.api.request<Ready>("GET", "/ready");
        return answer.status === 200 ? answer.body : undefined;
      });
      assert.deepEqual(ready.missing, [{ name: "kafka", address: broker.address }]);
      assert.equal(ready.status, "degraded");
      const said = each.log().filter(({ dependency, address }) => dependency === "kafka" && address === broker.address);
      assert.ok(said.some(({ msg }) => msg === `kafka at ${broker.address} cannot be reached; waiting for it`));
    }
    // Six of the session, and the first of the tenant's own ledger.
    assert.equal(await metric(door, "soma_audit_backlog_events"), 7);
    const whileAway = prompt();
    await api.start(whileAway);
    assert.equal((await api.ended(whileAway.metadata.session_id)).status, "completed");
    const refused = await until("the backlog is full", async () => {
      const answer = await api.request("POST", "/v1/sessions", { body: prompt() });
      return answer.status === 202 ? undefined : answer;
    });
    assert.deepEqual([refused.status, refused.body.code], [503, "AUDIT_BACKLOG_FULL"], refused.text);
    assert.equal(refused.headers.get("retry-after"), "10");

    // They come: what waited arrives, and sessions start again.
    await broker.start();
    await until("the backlog is empty", async () =>
      (await metric(door, "soma_audit_backlog_events")) === 0 ? true : undefined,
    );
    assert.deepEqual((await checkTopic(broker.address, canary, tokenBegins)).problems, []);
    await until("nothing is missing", async () =>
      (await api.request<Ready>("GET", "/ready")).body.missing.length === 0 ? true : undefined,
    );
    assert.equal(await metric(worker, "soma_audit_relay_lease"), 1);

    // In the middle of traffic the broker is killed, then the relay with its worker; another follows.
    const second = await startOrchestrator(context, workerOptions);
    const sessions = [prompt(), prompt(), prompt(), prompt()];
    const starting = sessions.map(async (session, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 400));
      await until("it is accepted", async () => {
        const answer = await api.request("POST", "/v1/sessions", { body: session });
        return answer.status === 202 || answer.body.code === "SESSION_ID_TAKEN" ? true : undefined;
      });
    });
    await broker.kill();
    assert.equal(await metric(second, "soma_audit_relay_lease"), 0, "two relays");
    worker.child.kill("SIGKILL");
    await broker.start();
    await Promise.all(starting);
    for (const { metadata } of sessions)
      assert.equal((await api.ended(metadata.session_id, 120_000)).status, "completed");
    await until("the backlog is empty", async () =>
      (await metric(door, "soma_audit_backlog_events")) === 0 ? true : undefined,
    );
    assert.equal(await metric(second, "soma_audit_relay_lease"), 1);
    const report = await checkTopic(broker.address, canary, tokenBegins);
    assert.deepEqual(report.problems, []);
    const ledger = await openSqliteLedger({
      file: join(dataDir, "ledger.sqlite"),
      masterKeys: loadMasterKeys({
        variable: "CONTENT_MASTER_KEY_FILE",
        path: join(dataDir, "keys/content-master.key"),
      }),
    });
    context.after(() => ledger.close());
    assert.deepEqual(report.digests, await ledgerDigests(ledger));
    // The checker would see what it looks for: each id stands in the topic.
    const [first = ""] = Object.keys(report.digests);
    assert.notDeepEqual((await checkTopic(broker.address, first)).problems, []);
  },
);
