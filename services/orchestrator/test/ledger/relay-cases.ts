import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { OpenLedger } from "./ledger-suite.ts";
import { openingOf, stepEvents } from "./sample-events.ts";

const subject = { tenant: "tenant-a", session_id: "sess-1" };
const long = { leaseMs: 60_000 };

export function describeRelay(open: OpenLedger): void {
  test("one holder at a time has the lease, and renews it under the same token", async () => {
    await using store = await open();
    const { relay } = store.ledger;
    const other = (await store.reopen()).relay;
    assert.deepEqual(await relay.acquire({ holder: "one", ...long }), { token: 1, cursor: 0 });
    assert.equal(await other.acquire({ holder: "two", ...long }), undefined);
    assert.deepEqual(await relay.acquire({ holder: "one", ...long }), { token: 1, cursor: 0 });
    await other.release({ holder: "two", token: 1 });
    await relay.release({ holder: "one", token: 2 });
    assert.equal(await other.acquire({ holder: "two", ...long }), undefined, "somebody else's lease was given back");
    await relay.release({ holder: "one", token: 1 });
    assert.deepEqual(await other.acquire({ holder: "two", ...long }), { token: 2, cursor: 0 });
  });

  test("a lease that ran out goes to the next one, and the one before moves nothing any more", async () => {
    await using store = await open();
    const { relay } = store.ledger;
    const other = (await store.reopen()).relay;
    const deadLetters = [{ position: 2, eventId: "evt", bytes: 2_000_000 }];
    await relay.acquire({ holder: "one", leaseMs: 150 });
    assert.equal(await other.acquire({ holder: "two", leaseMs: 150 }), undefined);
    assert.equal(await relay.advance({ holder: "one", token: 1, to: 3, deadLetters }), true);
    await setTimeout(200);
    assert.equal(await relay.advance({ holder: "one", token: 1, to: 4, deadLetters: [] }), true, "nobody has taken it");
    assert.deepEqual(await other.acquire({ holder: "two", ...long }), { token: 2, cursor: 4 });
    assert.equal(await relay.advance({ holder: "one", token: 1, to: 9, deadLetters: [] }), false);
    assert.equal(await relay.acquire({ holder: "one", ...long }), undefined);
    assert.equal((await relay.backlog()).cursor, 4);
    assert.equal(await other.advance({ holder: "two", token: 2, to: 5, deadLetters }), true);
    assert.equal((await relay.backlog()).cursor, 5);
  });

  test("an end that a clock wrote before it stepped back keeps nobody out", async () => {
    await using store = await open();
    const { relay } = store.ledger;
    await relay.acquire({ holder: "one", leaseMs: 600_000 });
    assert.deepEqual(await relay.acquire({ holder: "two", leaseMs: 10_000 }), { token: 2, cursor: 0 });
  });

  test("of many who ask at once, one gets the lease", async () => {
    await using store = await open();
    const other = await store.reopen();
    const asked = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? store.ledger : other).relay.acquire({ holder: `holder-${String(index)}`, ...long }),
    );
    const got = (await Promise.all(asked)).filter((lease) => lease !== undefined);
    assert.deepEqual(got, [{ token: 1, cursor: 0 }]);
  });

  test("the cursor never goes back", async () => {
    await using store = await open();
    const { relay } = store.ledger;
    await relay.acquire({ holder: "one", ...long });
    await relay.advance({ holder: "one", token: 1, to: 7, deadLetters: [] });
    await assert.rejects(relay.advance({ holder: "one", token: 1, to: 6, deadLetters: [] }), /never goes back/);
    assert.equal((await relay.backlog()).cursor, 7);
  });

  test("the backlog is what lies behind the cursor, as old as its oldest event", async () => {
    let now = Date.parse("2026-03-01T00:00:00Z");
    await using store = await open({ now: () => new Date(now) });
    const { ledger } = store;
    assert.deepEqual(await ledger.relay.backlog(), { cursor: 0, newest: 0 });
    await ledger.openSession(openingOf(subject));
    now += 5_000;
    await ledger.append(stepEvents(subject, "step-1"));
    assert.deepEqual(await ledger.relay.backlog(), { cursor: 0, newest: 4, oldestTime: "2026-03-01T00:00:00.000Z" });
    await ledger.relay.acquire({ holder: "one", ...long });
    await ledger.relay.advance({ holder: "one", token: 1, to: 1, deadLetters: [] });
    assert.deepEqual(await ledger.relay.backlog(), { cursor: 1, newest: 4, oldestTime: "2026-03-01T00:00:05.000Z" });
    await ledger.relay.advance({ holder: "one", token: 1, to: 4, deadLetters: [] });
    assert.deepEqual(await ledger.relay.backlog(), { cursor: 4, newest: 4 });
    const next = await store.reopen();
    assert.deepEqual(await next.relay.backlog(), { cursor: 4, newest: 4 });
  });
}
