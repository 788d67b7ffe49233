import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { EventTail } from "../../src/streams/event-tail.ts";
import { openSession } from "../harness/sessions.ts";
import { code } from "../ledger/refusal.ts";
import { unavailableEvent } from "../ledger/sample-events.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

async function openWorld() {
  const store = await openTemporaryLedger();
  const logged = createTestLog();
  const tail = new EventTail(store.ledger, logged.log);
  for (const session_id of ["sess-1", "sess-2"]) await openSession(store.ledger, { session_id });
  const append = (key: string, session_id = "sess-1", ledger = store.ledger) =>
    ledger.append([unavailableEvent({ tenant: "tenant-demo", session_id }, key)]);
  return {
    ...logged,
    store,
    tail,
    append,
    /** Subscribes and keeps the keys of what comes. */
    async follow(session_id = "sess-1") {
      const keys: string[] = [];
      const leave = await tail.subscribe(
        session_id,
        (events) => void keys.push(...events.map(({ eventkey }) => eventkey)),
      );
      return { keys, leave };
    },
    async [Symbol.asyncDispose]() {
      await tail.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, "not within 5 s");
    await sleep(5);
  }
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index)}`);

test("every listener of a session gets what is appended from then on, in order, and nothing of another session", async () => {
  await using world = await openWorld();
  await world.append("before");
  const [one, two, other] = [await world.follow(), await world.follow(), await world.follow("sess-2")];
  const expected = names("event", 30);
  for (const key of expected) {
    await world.append(key);
    await world.append(`other ${key}`.replace(" ", "-"), "sess-2");
  }
  await until(() => one.keys.length >= 30 && two.keys.length >= 30 && other.keys.length >= 30);
  assert.deepEqual(one.keys, expected);
  assert.deepEqual(two.keys, expected);
  assert.deepEqual(other.keys, names("other-event", 30));
});

test("what this process appends comes at once, what another appends within a fifth of a second", async () => {
  await using world = await openWorld();
  const other = await world.store.reopen();
  const { keys } = await world.follow();
  await world.append("own");
  await until(() => keys.length === 1);
  const begin = performance.now();
  await world.append("foreign", "sess-1", other);
  await until(() => keys.length === 2);
  assert.ok(performance.now() - begin < 400);
  assert.deepEqual(keys, ["own", "foreign"]);
});

test("more than one page of events comes whole", async () => {
  await using world = await openWorld();
  const other = await world.store.reopen();
  const { keys } = await world.follow();
  const expected = names("event", 1_200);
  for (let from = 0; from < 1_200; from += 600)
    await Promise.all(expected.slice(from, from + 600).map((key) => world.append(key, "sess-1", other)));
  await until(() => keys.length >= 1_200);
  assert.deepEqual(keys, expected);
});

test("who has left gets nothing more, and the others do", async () => {
  await using world = await openWorld();
  const [one, two] = [await world.follow(), await world.follow()];
  await world.append("both");
  await until(() => one.keys.length === 1 && two.keys.length === 1);
  one.leave();
  one.leave();
  await world.append("left");
  await until(() => two.keys.length === 2);
  assert.deepEqual(one.keys, ["both"]);
});

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

test("while nobody listens nothing is read; who comes then gets what comes then", async () => {
  await using world = await openWorld();
  const first = await world.follow();
  first.leave();
  const atRest = timers();
  for (const key of names("unheard", 20)) await world.append(key);
  const second = await world.follow();
  assert.equal(timers(), atRest + 1, "the poll runs for listeners alone");
  await world.append("heard");
  await until(() => second.keys.includes("heard"));
  assert.deepEqual(second.keys, ["heard"]);
  assert.deepEqual(first.keys, []);
  second.leave();
  assert.equal(timers(), atRest);
});

test("a ledger that cannot be read is logged and tried again; close ends the trying", async () => {
  await using world = await openWorld();
  await world.follow();
  await world.store.ledger.close();
  await until(() => world.lines().length > 0);
  assert.equal(world.lines()[0]?.["msg"], "the ledger's tail could not be read");
  await world.tail.close();
  const count = world.lines().length;
  await sleep(400);
  assert.equal(world.lines().length, count);
  await assert.rejects(
    world.tail.subscribe("sess-1", () => undefined),
    code("AUDIT_UNAVAILABLE"),
  );
});
