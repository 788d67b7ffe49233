import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventGap, NewEvent } from "@soma/contracts/audit";
import type { Delta } from "@soma/contracts/session-stream";
import { sha256 } from "@soma/kit/digest";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import { newContent } from "../../src/ledger/content.ts";
import type { SessionRow } from "../../src/ledger/session-row.ts";
import { foundTenant, serviceActor } from "../../src/tenants/found-tenant.ts";
import { DeltaWriter } from "../../src/streams/delta-writer.ts";
import { stepEvents } from "../ledger/sample-events.ts";
import { startStreams, type Arrived } from "./stream-server.ts";

const step = "completion-1";
const text = "Größe\n\n🙂 – und noch mehr davon.";

/** A stream server, and a worker in another process: what it makes comes through the store alone. */
async function startWorld() {
  const world = await startStreams();
  const elsewhere = world.store.reopenDeltas();
  const { log, lines } = createTestLog();
  const worker = new DeltaWriter(elsewhere, log);
  const [decided, intended, completed] = eventsOfStep(world.row);
  assert.ok(decided && intended && completed?.type === "effect.completed");
  const content = (output: string) => newContent(world.row, "text/plain; charset=utf-8", output);
  return {
    ...world,
    worker,
    elsewhere,
    lines,
    step: [decided, intended],
    begin: async (attempt = 1, replayed = false) => {
      const making = worker.begin(world.row, step, attempt);
      await making.begin({ replayed });
      return making;
    },
    /** The step's outcome, and the session's end. */
    complete: async (output = text, attempt?: number) => {
      const data = { ...completed.data, result_digest: sha256(output), ...(attempt !== undefined && { attempt }) };
      await world.ledger.append([{ ...completed, data }], [content(output)]);
      await world.append(world.end());
    },
    async [Symbol.asyncDispose]() {
      await worker.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** Decision, intent and outcome of the session's step. */
function eventsOfStep(row: SessionRow, name = step): NewEvent[] {
  const { tenant, session_id } = row;
  return stepEvents({ tenant, session_id }, name, text).map((event) => Object.assign(event, eventContext(row)));
}

class Reading {
  readonly arrived: Arrived[] = [];
  readonly ended: Promise<void>;

  constructor(stream: AsyncGenerator<Arrived>) {
    this.ended = (async () => {
      for await (const one of stream) this.arrived.push(one);
    })();
  }

  get deltas(): Delta[] {
    return this.arrived.filter(({ event }) => event === "delta").map(({ data }): Delta => JSON.parse(data));
  }

  async until(holds: (deltas: readonly Delta[]) => boolean): Promise<void> {
    const giveUpAt = performance.now() + 10_000;
    while (!holds(this.deltas)) {
      assert.ok(performance.now() < giveUpAt, `not within 10 s: ${JSON.stringify(this.arrived)}`);
      await sleep(5);
    }
  }
}

/** The last attempt's pieces, joined after what a reader had; without gap or repeat, or this throws. */
function joined(deltas: readonly Delta[], had = { attempt: 0, text: "" }): string {
  let { attempt, text: whole } = had;
  for (const delta of deltas) {
    assert.ok(delta.attempt >= attempt);
    if (delta.attempt > attempt) whole = "";
    attempt = delta.attempt;
    assert.equal(delta.offset, whole.length);
    whole += delta.text;
  }
  return whole;
}

const endsWith = (end: string) => (deltas: readonly Delta[]) => joined(deltas).endsWith(end);

test("a text that another process makes comes while it is made, and joined it is the text", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const making = await world.begin();
  making.write(text.slice(0, 6));
  await sleep(120);
  const reading = new Reading(world.read());
  await reading.until(endsWith(text.slice(0, 6)));
  assert.deepEqual(
    reading.arrived.map(({ event }) => event),
    ["session.created", "policy.decided", "effect.intended", "delta"],
    "the past comes before the text of the present",
  );
  making.write(text.slice(6, 12));
  await reading.until(endsWith(text.slice(6, 12)));
  making.write(text.slice(12));
  making.finish();
  await world.complete();
  making.close({ done: true });
  await reading.ended;
  assert.equal(joined(reading.deltas), text);
  const places = reading.arrived.map(({ event }) => event);
  assert.ok(places.lastIndexOf("delta") < places.indexOf("effect.completed"));
  assert.deepEqual(reading.arrived.at(-1)?.event, "session.canceled");
});

test("a reader who reconnects in the middle of a text goes on at the letter where he was", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const making = await world.begin();
  making.write(text.slice(0, 20));
  await sleep(120);
  const readings = [0, 3, 9, 20].map((offset) => ({
    offset,
    reading: new Reading(world.read(3, `&delta_after=${step}:1:${String(offset)}`)),
  }));
  await sleep(100);
  making.write(text.slice(20));
  making.finish();
  await world.complete();
  for (const { offset, reading } of readings) {
    await reading.ended;
    assert.equal(joined(reading.deltas, { attempt: 1, text: text.slice(0, offset) }), text, String(offset));
  }
  making.close({ done: true });
});

test("the text of a step that is over comes as one delta before its event, and the rest of it to who has a part", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  await world.complete();
  const whole = new Reading(world.read());
  await whole.ended;
  assert.deepEqual(whole.deltas, [{ step, attempt: 1, offset: 0, text }]);
  for (const [place, expected] of [
    ["1:5", [{ step, attempt: 1, offset: 5, text: text.slice(5) }]],
    [`1:${String(text.length)}`, []],
    ["2:5", [{ step, attempt: 3, offset: 0, text }]],
  ] as const) {
    const reading = new Reading(world.read(3, `&delta_after=${step}:${place}`));
    await reading.ended;
    assert.deepEqual(reading.deltas, expected, place);
  }
  const past = new Reading(world.read(4));
  await past.ended;
  assert.deepEqual(past.deltas, []);
});

test("an attempt that says the same again is not heard twice, one that says another thing begins anew", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const reading = new Reading(world.read());
  const first = await world.begin();
  first.write(text.slice(0, 10));
  await reading.until(endsWith(text.slice(0, 10)));
  first.close({ done: false });
  const second = await world.begin(2, true);
  second.write(text.slice(0, 15));
  await reading.until(endsWith(text.slice(10, 15)));
  second.close({ done: false });
  const third = await world.begin(3);
  const other = "Etwas ganz anderes";
  third.write(other);
  third.finish();
  await reading.until(endsWith(other));
  assert.equal(third.attempt, 3);
  await world.complete(other, third.attempt);
  third.close({ done: true });
  await reading.ended;
  assert.equal(joined(reading.deltas), other);
  assert.deepEqual([...new Set(reading.deltas.map(({ attempt }) => attempt))], [1, 3]);
  // Who was away and had a part of the first attempt's text.
  const late = new Reading(world.read(3, `&delta_after=${step}:1:10`));
  await late.ended;
  assert.deepEqual(late.deltas, [{ step, attempt: 3, offset: 0, text: other }]);
});

test("an attempt that was taken for dead, and ended the step with another text: readers begin anew", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const reading = new Reading(world.read());
  const making = await world.begin(2);
  making.write("Never mind");
  await reading.until(endsWith("mind"));
  await world.complete();
  making.close({ done: true });
  await reading.ended;
  assert.equal(joined(reading.deltas), text);
});

test("what was recorded before a text began comes before it, though its first words are here sooner", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const other = await world.store.reopen();
  const reading = new Reading(world.read());
  const making = await world.begin();
  making.write(text);
  await reading.until(endsWith(text));
  // By another process, which this one finds at its next look.
  const next = eventsOfStep(world.row, "completion-2");
  const completed = eventsOfStep(world.row).slice(2);
  await other.append([...completed, ...next.slice(0, 2)], [newContent(world.row, "text/plain; charset=utf-8", text)]);
  world.deltas.publish(world.row.session_id, { step: "completion-2", attempt: 1, offset: 0, text: "And" });
  await reading.until((deltas) => deltas.some((delta) => delta.text === "And"));
  const places = reading.arrived.map(({ event }) => event);
  assert.deepEqual(places.slice(-4), ["effect.completed", "policy.decided", "effect.intended", "delta"]);
  await world.append(world.end());
  await reading.ended;
});

test("what is stored of a text is encrypted, and gone when the step has its outcome", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const making = await world.begin();
  making.write(text);
  making.finish();
  const session = { tenant: world.row.tenant, sessionId: world.row.session_id };
  await sleep(150);
  const [stored, ...more] = await world.elsewhere.store.read(session);
  assert.equal(more.length, 0);
  assert.ok(stored !== undefined && !Buffer.from(stored.sealed).includes("noch mehr"));
  assert.equal((await world.elsewhere.vault.openPiece(stored)).text, text);
  // Bound to its place: at another it is none.
  await assert.rejects(world.elsewhere.vault.openPiece({ ...stored, attempt: 2 }), { code: "CONTENT_UNREADABLE" });
  making.close({ done: true });
  await sleep(150);
  assert.deepEqual(await world.elsewhere.store.read(session), []);
});

test("what a dead worker left of a step that has ended is told to nobody", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const making = await world.begin();
  making.write("left behind");
  await sleep(150);
  const [, , completed] = eventsOfStep(world.row);
  assert.ok(completed);
  await world.ledger.append([completed], [newContent(world.row, "text/plain; charset=utf-8", text)]);
  const reading = new Reading(world.read(4));
  await sleep(300);
  await world.append(world.end());
  await reading.ended;
  assert.deepEqual(reading.deltas, []);
});

test("who may read no text gets none, of a running step or a past one", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const live = new Reading(world.read(0, "&no_text"));
  const making = await world.begin();
  making.write(text.slice(0, 10));
  await sleep(300);
  await world.complete();
  await live.ended;
  const past = new Reading(world.read(0, `&no_text&delta_after=${step}:1:3`));
  await past.ended;
  for (const { deltas, arrived } of [live, past]) {
    assert.deepEqual(deltas, []);
    assert.equal(arrived.length, 5);
  }
});

test("a text that was erased gives no delta, and the stream goes on to its end", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const making = await world.begin();
  making.write(text.slice(0, 10));
  await sleep(120);
  await world.complete();
  await world.store.sql("UPDATE content_keys SET wrapped = NULL, master_key_id = NULL, destroyed_at = 'now'");
  // As a process that starts after the erasure: no key is in its memory.
  const ledger = await world.store.reopen();
  await using after = await startStreams({ over: { ledger, store: world.store, row: world.row } });
  const reading = new Reading(after.read());
  await reading.ended;
  assert.deepEqual(
    reading.arrived.map(({ id }) => id),
    [1, 2, 3, 4, 5],
  );
});

test("a store that cannot be written or read costs readers the pieces, not the text nor the stream", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  await world.elsewhere.store.close();
  const reading = new Reading(world.read());
  const making = await world.begin();
  making.write(text);
  making.finish();
  await sleep(200);
  await world.complete();
  making.close({ done: true });
  await reading.ended;
  assert.deepEqual(reading.deltas, [{ step, attempt: 1, offset: 0, text }]);
  assert.ok(world.lines().some(({ msg }) => msg === "pieces of running texts could not be stored"));
});

test("where retention has cut, a gap says what is missing and the stream goes on after it", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  await world.complete();
  const { tenant, session_id: sessionId } = world.row;
  await world.ledger.tenants.append({ events: [foundTenant(tenant)] });
  const before = new Date(Date.now() + 1_000).toISOString();
  await world.ledger.retention.apply({ tenant, before, delivered: false, limit: 10, actor: serviceActor });
  const [left] = await world.ledger.readEvents({ tenant, sessionId, after: 0, limit: 10 });
  const cut: EventGap = { from: 1, to: 4, hash: left?.prevhash ?? sha256("") };
  for (const after of [0, 1, 3]) {
    const reading = new Reading(world.read(after));
    await reading.ended;
    assert.deepEqual(
      reading.arrived.map(({ event, id }) => [event, id]),
      [
        ["gap", 4],
        ["session.canceled", 5],
      ],
    );
    assert.deepEqual(JSON.parse(reading.arrived[0]?.data ?? ""), cut);
  }
  for (const after of [4, 5]) {
    const behind = new Reading(world.read(after));
    await behind.ended;
    assert.deepEqual(
      behind.arrived.map(({ id }) => id),
      after === 4 ? [5] : [],
    );
  }
});

test("a reader who reads no deltas is dropped at the bound, and resumes at the letter where he was", async () => {
  await using world = await startWorld();
  await world.append(...world.step);
  const socket = await world.connect();
  await once(socket, "data");
  socket.pause();
  while ((await world.open()) !== 1) await sleep(5);
  const piece = "x".repeat(60_000);
  for (let round = 0; round < 400 && (await world.open()) === 1; round += 1) {
    // 17 pieces are as much as is kept of a text: then it begins anew, as with another attempt.
    const attempt = 1 + Math.floor(round / 17);
    world.deltas.publish(world.row.session_id, { step, attempt, offset: (round % 17) * piece.length, text: piece });
    await sleep(1);
  }
  assert.equal(await world.open(), 0, "not dropped");
  socket.destroy();
  const attempt = 99;
  const whole = piece.repeat(3);
  await world.complete(whole, attempt);
  const resumed = new Reading(world.read(3, `&delta_after=${step}:${String(attempt)}:60000`));
  await resumed.ended;
  assert.equal(joined(resumed.deltas, { attempt, text: piece }), whole);
});
