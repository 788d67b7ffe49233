import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { until } from "../../../../tests/harness/until.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { postgresMissing, startPostgresServer } from "../ledger/postgres-server.ts";
import { openFreshLedger } from "../ledger/postgres-store.ts";
import { openingOf, stepEvents, unavailableEvent } from "../ledger/sample-events.ts";
import { tenantCreated, tenantStory } from "../ledger/sample-tenants.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";
import { kafkaMissing, startKafkaBroker, type KafkaBroker } from "./kafka-broker.ts";
import { startRelayProcess } from "./relay-process.ts";
import { delivered, plainConfig, startTestRelay } from "./test-relay.ts";
import { checkTopic, ledgerDigests, remakeTopic } from "./topic-check.ts";

/** So many sessions of five events each. */
async function fill(ledger: Ledger, name: string, sessions: number): Promise<void> {
  await Promise.all(
    Array.from({ length: sessions }, async (_, index) => {
      const subject = { tenant: "tenant-a", session_id: `${name}-${String(index)}` };
      await ledger.openSession(openingOf(subject));
      await ledger.append([...stepEvents(subject, "step-1"), unavailableEvent(subject, "waits")]);
    }),
  );
}

/** Traffic for about so long; resolves when it is over. */
async function traffic(ledger: Ledger, name: string, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await fill(ledger, `${name}-${String(round)}`, 4);
    await setTimeout(60);
  }
}

suite("relay to a real broker", { skip: kafkaMissing }, () => {
  // One topic for all of them; each looks for the events of its own ledger, whose sessions have names of their own.
  let broker: KafkaBroker;
  before(async () => {
    broker = await startKafkaBroker();
  });
  after(() => broker[Symbol.asyncDispose]());

  async function assertArrived(ledger: Ledger): Promise<void> {
    await delivered(ledger);
    const report = await checkTopic(broker.address);
    assert.deepEqual(report.problems, []);
    const recorded = await ledgerDigests(ledger);
    const arrived = Object.keys(recorded).map((id) => [id, report.digests[id]]);
    assert.deepEqual(Object.fromEntries(arrived), recorded);
  }

  test("past and present arrive as they were recorded, across a broker that is killed and comes back", async () => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    await fill(ledger, "past", 40);
    await using relay = await startTestRelay({ ledger, config: plainConfig(broker.address) });
    await delivered(ledger);
    const writing = traffic(ledger, "killed-broker", 30);
    await setTimeout(400);
    await broker.kill();
    await setTimeout(1_500);
    await broker.start();
    await writing;
    await assertArrived(ledger);
    assert.ok((await relay.valueOf("soma_audit_send_failures_total")) > 0, "the kill was not noticed");
    const said = relay.log.lines().filter(({ dependency }) => dependency === "kafka");
    assert.ok(said.some(({ msg, address }) => /cannot be delivered/.test(String(msg)) && address === broker.address));
    assert.ok(said.some(({ msg }) => /delivered again/.test(String(msg))));
  });

  test("a tenant's own events arrive under their subject, in their place among the sessions'", async () => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    const tenant = "tenant-of-topic";
    await ledger.tenants.append({ events: [tenantCreated(tenant)] });
    await fill(ledger, "beside-tenants", 3);
    await ledger.tenants.append({ events: tenantStory(tenant) });
    await using relay = await startTestRelay({ ledger, config: plainConfig(broker.address) });
    await assertArrived(ledger);
    assert.equal(await relay.valueOf("soma_audit_delivered_total"), 23);
  });

  test("of two at one ledger one delivers, and the other takes over when it gives the lease back", async () => {
    await using store = await openTemporaryLedger();
    const lease = { ms: 1_000, renewEveryMs: 200 };
    const config = plainConfig(broker.address);
    await using one = await startTestRelay({ ledger: store.ledger, config, lease });
    await until("the first has the lease", async () => (await one.valueOf("soma_audit_relay_lease")) || undefined);
    await using two = await startTestRelay({ ledger: await store.reopen(), config, lease });
    await traffic(store.ledger, "two-relays", 10);
    await delivered(store.ledger);
    assert.equal(await one.valueOf("soma_audit_delivered_total"), 200);
    assert.equal(await two.valueOf("soma_audit_delivered_total"), 0);
    assert.equal(await two.valueOf("soma_audit_relay_lease"), 0);
    assert.deepEqual(
      two.log.lines().filter(({ msg }) => /this process delivers/.test(String(msg))),
      [],
    );
    await one.stopRelay();
    assert.equal(await one.valueOf("soma_audit_relay_lease"), 0);
    await traffic(store.ledger, "second-relay", 2);
    await assertArrived(store.ledger);
    assert.equal(await two.valueOf("soma_audit_delivered_total"), 40);
  });

  test("a relay that is killed in the middle is followed by another, without a gap", async () => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    await using first = startRelayProcess(store.file, broker.address, 1_000);
    const writing = traffic(ledger, "killed-relay", 40);
    await until("the first delivers", () => (first.delivered() > 0 ? true : undefined));
    const lease = { ms: 1_000, renewEveryMs: 200 };
    await using second = await startTestRelay({ ledger, config: plainConfig(broker.address), lease });
    await first.kill();
    await writing;
    // However far the first one got before its end: these are the second one's.
    await fill(ledger, "after-the-relay", 4);
    await assertArrived(ledger);
    assert.ok((await second.valueOf("soma_audit_delivered_total")) > 0);
  });

  test("a relay that slept through the end of its lease and goes on changes nothing of the order", async () => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    await using sleeper = startRelayProcess(store.file, broker.address, 600);
    const writing = traffic(ledger, "sleeper", 50);
    await until("it delivers", () => (sleeper.delivered() > 0 ? true : undefined));
    sleeper.signal("SIGSTOP");
    const lease = { ms: 600, renewEveryMs: 150 };
    await using awake = await startTestRelay({ ledger, config: plainConfig(broker.address), lease });
    await until("the other delivers", async () => (await awake.valueOf("soma_audit_delivered_total")) || undefined);
    sleeper.signal("SIGCONT");
    await writing;
    await assertArrived(ledger);
  });

  test("an event that no broker takes is a dead letter, and those behind it arrive", async () => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    const subject = { tenant: "tenant-a", session_id: "too-large" };
    await ledger.openSession(openingOf(subject));
    const other = { tenant: "tenant-a", session_id: "behind-it" };
    const [decided] = stepEvents(subject, "step-1");
    assert.ok(decided?.type === "policy.decided");
    await ledger.append([{ ...decided, data: { ...decided.data, reasons: ["x".repeat(1_200_000)] } }]);
    await ledger.openSession(openingOf(other));
    await using relay = await startTestRelay({ ledger, config: plainConfig(broker.address) });
    await delivered(ledger);
    const { digests } = await checkTopic(broker.address);
    const recorded = await ledger.tail({ afterPosition: 0, limit: 10 });
    assert.deepEqual(
      recorded.map(({ event }) => [event.subject, event.id in digests]),
      [
        ["too-large", true],
        ["too-large", false],
        ["behind-it", true],
      ],
    );
    assert.equal(await relay.valueOf("soma_audit_dead_letters_total"), 1);
    assert.equal(await relay.valueOf("soma_audit_send_failures_total"), 0, "it was sent before it was refused");
    assert.ok(relay.log.lines().some(({ msg, seq }) => /too large for Kafka/.test(String(msg)) && seq === 2));
  });

  test("10,000 events of backlog are drained when the broker is back", async (t) => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    for (let group = 0; group < 20; group += 1) await fill(ledger, `backlog-${String(group)}`, 100);
    await broker.kill();
    await using relay = await startTestRelay({ ledger, config: plainConfig(broker.address, 10_000) });
    assert.equal(relay.kafka.backlog.isFull(), true);
    assert.equal(await relay.valueOf("soma_audit_backlog_events"), 10_000);
    assert.ok((await relay.valueOf("soma_audit_lag_seconds")) > 0);
    await broker.start();
    const back = performance.now();
    await delivered(ledger);
    t.diagnostic(
      `10,000 events delivered ${((performance.now() - back) / 1_000).toFixed(1)} s after the broker's return`,
    );
    await until("the backlog has room again", () => (relay.kafka.backlog.isFull() ? undefined : true));
    await until("none waits", async () =>
      (await relay.valueOf("soma_audit_backlog_events")) === 0 ? true : undefined,
    );
    assert.equal(await relay.valueOf("soma_audit_lag_seconds"), 0);
    await assertArrived(ledger);
  });

  test("a ledger's database that is lost and comes back leaves no gap", { skip: postgresMissing }, async () => {
    await using server = await startPostgresServer();
    await using store = await openFreshLedger(server, { timeoutMs: 3_000 });
    const { ledger } = store;
    const lease = { ms: 2_000, renewEveryMs: 500 };
    await using relay = await startTestRelay({ ledger, config: plainConfig(broker.address), lease });
    await fill(ledger, "before-the-loss", 30);
    await server.stopImmediately();
    await until("the relay says so", () =>
      relay.log.lines().some(({ msg }) => /cannot use the ledger/.test(String(msg))) ? true : undefined,
    );
    await server.start();
    await until("the ledger can be written", async () =>
      ledger.checkWritable().then(
        () => true,
        () => undefined,
      ),
    );
    await fill(ledger, "after-the-loss", 20);
    await assertArrived(ledger);
  });

  test("a topic that is made anew: untrue acknowledgements are an alarm, a client that crashes is started again", async () => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    await using relay = await startTestRelay({ ledger, config: plainConfig(broker.address) });
    const reasons = (): unknown[] => relay.log.lines().map(({ reason }) => reason);
    await traffic(ledger, "first-topic", 6);
    await delivered(ledger);
    // As many partitions: their offsets begin at 0 again, which to the relay is as if nothing had been written.
    await remakeTopic(broker.address, 6);
    await fill(ledger, "second-topic", 24);
    await delivered(ledger);
    assert.ok(reasons().includes("offsets"), relay.log.text());
    // Fewer partitions than the client remembers: it throws where nobody can catch it.
    await remakeTopic(broker.address, 1);
    await fill(ledger, "third-topic", 24);
    await delivered(ledger);
    assert.ok(reasons().includes("thread"), relay.log.text());
    const { digests } = await checkTopic(broker.address);
    const third = await ledger.tail({ afterPosition: 240, limit: 200 });
    assert.equal(third.length, 120);
    for (const { event } of third) assert.ok(event.id in digests);
  });
});
