import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEvent } from "@soma/contracts/audit";
import { digestOf, sha256 } from "@soma/kit/digest";
import { newContent } from "../../src/ledger/content.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { foundTenant, serviceActor } from "../../src/tenants/found-tenant.ts";
import type { OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import { completedEvent, openingOf, stepEvents } from "./sample-events.ts";

const tenant = "tenant-a";
const before = "2026-03-02T00:00:00.000Z";
const pass = { tenant, before, delivered: false, limit: 10, actor: serviceActor };

/** A session that ended, with its prompt and its answer. */
async function endedSession(ledger: Ledger, session_id: string, prompt: string, output = `answer of ${session_id}`) {
  const subject = { tenant, session_id };
  await ledger.openSession(openingOf(subject, prompt));
  const events = [...stepEvents(subject, "completion-1", output), completedEvent(subject, output)];
  await ledger.append(events, [newContent({ tenant, user: "user-1" }, "text/plain", output)]);
}

async function eventsOf(ledger: Ledger, sessionId: string): Promise<readonly AuditEvent[]> {
  return ledger.readEvents({ tenant, sessionId, after: 0, limit: 100 });
}

const read = (ledger: Ledger, text: string) =>
  ledger.readContent({ tenant, user: "user-1", digest: sha256(text) }).then((bytes) => bytes && Buffer.from(bytes));

async function openOld(open: OpenLedger) {
  let now = new Date("2026-03-01T00:00:00.000Z");
  const store = await open({ now: () => now });
  await store.ledger.tenants.append({ events: [foundTenant(tenant)] });
  return { store, at: (time: string) => void (now = new Date(time)) };
}

export function describeRetention(open: OpenLedger): void {
  test("what ended before goes but for its last event, recorded with what was cut; what ended later and what runs stay", async () => {
    const { store, at } = await openOld(open);
    await using opened = store;
    const { ledger } = opened;
    await endedSession(ledger, "old-1", "shared words");
    await endedSession(ledger, "old-2", "own words");
    await ledger.openSession(openingOf({ tenant, session_id: "running" }, "running words"));
    at("2026-03-03T00:00:00.000Z");
    await endedSession(ledger, "new", "shared words");
    const whole = new Map([
      ["old-1", await eventsOf(ledger, "old-1")],
      ["old-2", await eventsOf(ledger, "old-2")],
    ]);
    const position = await ledger.lastPosition();

    assert.deepEqual(await ledger.retention.apply(pass), { sessions: 2, events: 8 });
    for (const [sessionId, events] of whole) {
      const [last] = await eventsOf(ledger, sessionId);
      assert.deepEqual(last, events[4]);
      const gap = await ledger.gapOf({ tenant, sessionId });
      assert.deepEqual(gap, { from: 1, to: 4, hash: events[3]?.hash });
      assert.equal(last?.prevhash, gap?.hash, "the chain goes on from the gap");
      assert.deepEqual(await ledger.readEvents({ tenant, sessionId, after: 4, limit: 9 }), [last]);
      assert.equal((await ledger.findSession({ tenant, sessionId }))?.status, "completed");
    }
    assert.equal(await ledger.gapOf({ tenant: "tenant-b", sessionId: "old-1" }), undefined);
    for (const [sessionId, count] of [
      ["running", 1],
      ["new", 5],
    ] as const) {
      assert.equal((await eventsOf(ledger, sessionId)).length, count);
      assert.equal(await ledger.gapOf({ tenant, sessionId }), undefined);
    }
    assert.equal(await read(ledger, "own words"), undefined);
    assert.equal(await read(ledger, "answer of old-1"), undefined);
    assert.equal((await read(ledger, "shared words"))?.toString(), "shared words", "another session names it");
    assert.equal((await read(ledger, "running words"))?.toString(), "running words");

    const applied = (await ledger.tenants.readEvents({ tenant, after: 0, limit: 10 })).at(-1);
    const list = [...whole].map(([sessionId, events]) => [sessionId, 4, events[3]?.hash]);
    assert.equal(applied?.type, "retention.applied");
    assert.deepEqual(applied?.data, { before, sessions: 2, events: 8, list_digest: digestOf(list) });
    const tailed = await ledger.tail({ afterPosition: position, limit: 10 });
    assert.deepEqual(
      tailed.map(({ event }) => event.id),
      [applied?.id],
      "it is delivered like any other",
    );

    assert.equal(await ledger.retention.apply(pass), undefined, "once");
  });

  test("a text goes with the last session that names it", async () => {
    const { store, at } = await openOld(open);
    await using opened = store;
    const { ledger } = opened;
    await endedSession(ledger, "first", "shared words", "same answer");
    at("2026-03-03T00:00:00.000Z");
    await endedSession(ledger, "second", "shared words", "same answer");
    await ledger.retention.apply(pass);
    assert.equal((await read(ledger, "same answer"))?.toString(), "same answer");
    await ledger.retention.apply({ ...pass, before: "2026-03-04T00:00:00.000Z" });
    assert.equal(await read(ledger, "same answer"), undefined);
    assert.equal(await read(ledger, "shared words"), undefined);
    assert.deepEqual(await opened.sql("SELECT * FROM content_names"), []);
  });

  test("the id of a cut session is taken for ever, and the session takes nothing more", async () => {
    const { store } = await openOld(open);
    await using opened = store;
    const { ledger } = opened;
    await endedSession(ledger, "old-1", "hello");
    await ledger.retention.apply(pass);
    await assert.rejects(
      ledger.openSession(openingOf({ tenant, session_id: "old-1" }, "hello")),
      code("SESSION_ID_TAKEN"),
    );
    await assert.rejects(
      ledger.append(stepEvents({ tenant, session_id: "old-1" }, "completion-1")),
      code("SESSION_ENDED"),
    );
    const { rows } = await ledger.listSessions({ tenant, limit: 10 });
    assert.deepEqual(
      rows.map(({ session_id, last_seq }) => [session_id, last_seq]),
      [["old-1", 5]],
    );
  });

  test("what Kafka has not got is not cut, nor what no topic could take", async () => {
    const { store } = await openOld(open);
    await using opened = store;
    const { ledger } = opened;
    await endedSession(ledger, "delivered", "a");
    const position = await ledger.lastPosition();
    await endedSession(ledger, "half", "b");
    await endedSession(ledger, "buried", "c");
    const dead = (await ledger.lastPosition()) - 2;
    assert.equal(await ledger.retention.apply({ ...pass, delivered: true }), undefined, "Kafka has got nothing yet");
    const held = await ledger.relay.acquire({ holder: "relay", leaseMs: 60_000 });
    assert.ok(held);
    const mine = { holder: "relay", token: held.token };
    await ledger.relay.advance({ ...mine, to: position + 2, deadLetters: [] });
    // Whoever asks: once events go to Kafka, all wait for it.
    assert.deepEqual(await ledger.retention.apply(pass), { sessions: 1, events: 4 });
    const deadLetters = [{ position: dead, eventId: "evt", bytes: 1 }];
    await ledger.relay.advance({ ...mine, to: await ledger.lastPosition(), deadLetters });
    assert.deepEqual(await ledger.retention.apply(pass), { sessions: 1, events: 4 });
    assert.equal((await eventsOf(ledger, "buried")).length, 5);
  });

  test("two processes that cut at once cut each session once, a bounded number at a time", async () => {
    const { store } = await openOld(open);
    await using opened = store;
    const second = await opened.reopen();
    for (let count = 0; count < 7; count += 1) await endedSession(opened.ledger, `old-${String(count)}`, "hello");
    const cuts = await Promise.all(
      [opened.ledger, second, opened.ledger, second, opened.ledger].map((ledger) =>
        ledger.retention.apply({ ...pass, limit: 2 }),
      ),
    );
    const counts = cuts.map((cut) => cut?.sessions ?? 0).toSorted((one, other) => one - other);
    assert.deepEqual(counts, [0, 1, 2, 2, 2]);
    const types = (await second.tenants.readEvents({ tenant, after: 0, limit: 10 })).map(({ type }) => type);
    assert.equal(types.filter((type) => type === "retention.applied").length, 4);
  });

  test("the database lets events go for nothing but a cut that fits the chain", async () => {
    const { store } = await openOld(open);
    await using opened = store;
    const { ledger, sql } = { ledger: opened.ledger, sql: (text: string) => opened.sql(text) };
    await endedSession(ledger, "old-1", "hello");
    await endedSession(ledger, "old-2", "hello");
    await ledger.openSession(openingOf({ tenant, session_id: "running" }, "hello"));
    const cut = (id: string, to: number, hash: string) =>
      sql(`UPDATE sessions SET cut_to = ${String(to)}, cut_hash = '${hash}' WHERE session_id = '${id}'`);
    const [first, second] = await eventsOf(ledger, "old-1");
    assert.ok(first && second);
    await assert.rejects(sql("DELETE FROM events WHERE session_id = 'old-1' AND seq = 1"), /append-only/);
    await assert.rejects(sql("DELETE FROM events WHERE session_id LIKE 'tenant:%'"), /append-only/);
    await assert.rejects(cut("old-1", 2, first.hash), /cannot be cut/, "another event's hash");
    await assert.rejects(cut("old-1", 5, first.hash), /cannot be cut/, "the last event stays");
    const [created] = await eventsOf(ledger, "running");
    await assert.rejects(cut("running", 1, created?.hash ?? ""), /cannot be cut/, "it runs");
    await cut("old-1", 2, second.hash);
    await assert.rejects(cut("old-1", 1, first.hash), /cannot be cut/, "once");
    await assert.rejects(sql("DELETE FROM events WHERE session_id = 'old-1' AND seq = 3"), /append-only/);
    await assert.rejects(sql("DELETE FROM events WHERE session_id = 'old-2' AND seq = 1"), /append-only/);
    await sql("DELETE FROM events WHERE session_id = 'old-1' AND seq <= 2");
    assert.equal((await eventsOf(ledger, "old-1")).length, 3);
  });
}
