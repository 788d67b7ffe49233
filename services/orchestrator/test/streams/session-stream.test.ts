import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent } from "@soma/contracts/audit";
import { recoveredEvent, unavailableEvent } from "../ledger/sample-events.ts";
import { largeEvent, startStreams, type Arrived } from "./stream-server.ts";

const subject = { tenant: "tenant-demo", session_id: "sess-1" };
const outage = (name: string) => [unavailableEvent(subject, name), recoveredEvent(subject, `${name}/over`)];
const upTo = (last: number, after = 0): number[] =>
  Array.from({ length: last - after }, (_, index) => after + index + 1);

/** Reads a stream to its end, or until `enough` of it was read. */
async function collect(stream: AsyncGenerator<Arrived>, enough = Number.POSITIVE_INFINITY): Promise<Arrived[]> {
  const arrived: Arrived[] = [];
  for await (const event of stream) {
    arrived.push(event);
    if (arrived.length >= enough) break;
  }
  return arrived;
}

test("a stream gives what is there, then what comes, in order, and ends after the session's last event", async () => {
  await using world = await startStreams();
  await world.append(...outage("before"));
  const reading = collect(world.read());
  for (const name of ["one", "two", "three"]) {
    await sleep(20);
    await world.append(...outage(name));
  }
  await world.append(world.end());
  const arrived = await reading;
  assert.deepEqual(
    arrived.map(({ id }) => id),
    upTo(10),
  );
  const events = await world.ledger.readEvents({ ...subject, sessionId: "sess-1", after: 0, limit: 100 });
  assert.deepEqual(
    arrived.map(({ data }) => JSON.parse(data)),
    events,
  );
  assert.deepEqual(
    arrived.map(({ event }) => event),
    events.map(({ type }) => type),
  );
});

test("a reader resumes after any event, also after the session's end, and past it there is nothing", async () => {
  await using world = await startStreams();
  await world.append(...outage("one"), ...outage("two"), world.end());
  for (let after = 0; after <= 7; after += 1) {
    const arrived = await collect(world.read(after));
    assert.deepEqual(
      arrived.map(({ id }) => id),
      upTo(6, Math.min(after, 6)),
      String(after),
    );
  }
});

test(
  "an event that is appended while the last page of the past is on its way is not lost",
  { timeout: 10_000 },
  async () => {
    await using world = await startStreams({ delayMs: 100 });
    await world.append(...outage("before"));
    const reading = collect(world.read());
    // The first page arrives after 100 ms, the empty one that was read then after 200: in between comes the end.
    await sleep(150);
    await world.append(world.end());
    assert.deepEqual(
      (await reading).map(({ id }) => id),
      upTo(4),
    );
  },
);

test("what another process appends comes, too, and nothing comes twice or out of order", async () => {
  await using world = await startStreams();
  const other = await world.store.reopen();
  const reading = collect(world.read());
  const writing = [world.ledger, other].map(async (ledger, writer) => {
    for (let index = 0; index < 60; index += 1) {
      await ledger.append(outage(`${String(writer)}-${String(index)}`));
      if (index % 10 === 0) await sleep(10);
    }
  });
  await Promise.all(writing);
  await other.append([world.end()]);
  const arrived = await reading;
  assert.deepEqual(
    arrived.map(({ id }) => id),
    upTo(1 + 240 + 1),
  );
  const whole = arrived.map(({ data }): AuditEvent => JSON.parse(data));
  for (const [index, event] of whole.entries()) if (index > 0) assert.equal(event.prevhash, whole[index - 1]?.hash);
});

test("deltas of a text come as they are made, without an id, so that nobody resumes at one", async () => {
  await using world = await startStreams();
  const reading = collect(world.read(), 3);
  while ((await world.open()) !== 1) await sleep(5);
  await sleep(30);
  world.deltas.publish("sess-1", { step: "completion-1", attempt: 1, offset: 0, text: "Größe\n\n🙂" });
  world.deltas.publish("another-session", { step: "completion-1", attempt: 1, offset: 0, text: "canary" });
  // Pieces that come at the same time are told as one.
  await sleep(50);
  world.deltas.publish("sess-1", { step: "completion-1", attempt: 1, offset: 9, text: "!" });
  const [, first, second] = await reading;
  assert.deepEqual([first?.event, first?.id], ["delta", undefined]);
  assert.deepEqual(JSON.parse(first?.data ?? ""), { step: "completion-1", attempt: 1, offset: 0, text: "Größe\n\n🙂" });
  assert.deepEqual(JSON.parse(second?.data ?? ""), { step: "completion-1", attempt: 1, offset: 9, text: "!" });
});

test("a reader that keeps up reads a long past in one go, however large", async () => {
  await using world = await startStreams();
  // 13 MB: more than the bound and more than the buffers of a connection hold.
  for (let index = 0; index < 400; index += 40)
    await world.append(...Array.from({ length: 40 }, (_, at) => largeEvent(world.row, index + at)));
  await world.append(world.end());
  const arrived = await collect(world.read());
  assert.deepEqual(
    arrived.map(({ id }) => id),
    upTo(402),
  );
});

test("a reader that does not read is dropped at the bound, holds no memory, and resumes without a gap", async () => {
  await using world = await startStreams();
  const socket = await world.connect();
  await once(socket, "data");
  socket.pause();
  while ((await world.open()) !== 1) await sleep(5);
  let appended = 1;
  // Until it is dropped; the buffers of the connection take some MB before the bound counts.
  for (let round = 0; round < 60 && (await world.open()) === 1; round += 1) {
    await world.append(...Array.from({ length: 20 }, (_, at) => largeEvent(world.row, round * 20 + at)));
    appended += 20;
    await sleep(1);
  }
  assert.equal(await world.open(), 0, `not dropped after ${String(appended)} events`);
  socket.destroy();
  await world.append(world.end());
  const resumed = await collect(world.read(5));
  assert.deepEqual(
    resumed.map(({ id }) => id),
    upTo(appended + 1, 5),
  );
});

test("a reader that leaves is forgotten, in the middle of the past or of the present", async () => {
  await using world = await startStreams();
  await world.append(...Array.from({ length: 40 }, (_, at) => largeEvent(world.row, at)));
  for (let round = 0; round < 5; round += 1) {
    const socket = await world.connect();
    if (round > 0) await once(socket, "data");
    socket.destroy();
  }
  while ((await world.open()) !== 0) await sleep(5);
  // Nobody is written to any more, and the ledger goes on.
  await world.append(...outage("after"));
  assert.equal((await collect(world.read(41), 2)).length, 2);
});

test("a service that closes ends its streams, so that their readers come back elsewhere", async () => {
  await using world = await startStreams();
  const reading = [collect(world.read()), collect(world.read())];
  while ((await world.open()) !== 2) await sleep(5);
  await sleep(30);
  await world.streams.close();
  for (const arrived of await Promise.all(reading))
    assert.deepEqual(
      arrived.map(({ id }) => id),
      [1],
    );
  while ((await world.open()) !== 0) await sleep(5);
});

test("a stream tells browsers and proxies how to treat it", async () => {
  await using world = await startStreams();
  const socket = await world.connect();
  const [head] = await once(socket.setEncoding("utf8"), "data");
  socket.destroy();
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(head, /\r\ncontent-type: text\/event-stream\r\n/i);
  assert.match(head, /\r\ncache-control: no-cache, no-transform\r\n/i);
  assert.match(head, /\r\nx-accel-buffering: no\r\n/i);
  assert.match(head, /retry: 1000\n\n/);
});
