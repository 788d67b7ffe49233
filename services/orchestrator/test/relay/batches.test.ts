import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { TailedEvent } from "../../src/ledger/ledger.ts";
import type { WrittenAt } from "../../src/relay/forwarder-messages.ts";
import { OffsetWatch } from "../../src/relay/offset-watch.ts";
import { batchLimits, buryRecords, nextBatch } from "../../src/relay/relay-batch.ts";
import { WakeUp } from "../../src/relay/wake-up.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";
import { openingOf } from "../ledger/sample-events.ts";

/** A real event, with bytes of any length in its place. */
async function anEvent(): Promise<TailedEvent> {
  await using store = await openTemporaryLedger();
  await store.ledger.openSession(openingOf({ tenant: "tenant-a", session_id: "sess-1" }));
  const [tailed] = await store.ledger.tail({ afterPosition: 0, limit: 1 });
  assert.ok(tailed);
  return tailed;
}

test("batches follow each other without a gap, within the limits, whatever the sizes are", async () => {
  const sample = await anEvent();
  const sizes = fc.array(fc.oneof(fc.nat(2_000), fc.nat(2_000_000)), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 20 }), (lengths, maxRecords) => {
      const events = lengths.map((length, index) => ({ ...sample, position: index + 1, json: "é".repeat(length / 2) }));
      const seen: number[] = [];
      for (let cursor = 0; cursor < events.length;) {
        const batch = nextBatch(events.slice(cursor), maxRecords);
        assert.ok(batch.to > cursor, "it does not get on");
        assert.ok(batch.records.length <= maxRecords);
        const bytes = batch.records.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0);
        assert.ok(bytes <= batchLimits.bytes);
        const places = [...batch.records, ...batch.deadLetters].map(({ position }) => position);
        seen.push(...places.toSorted((one, other) => one - other));
        for (const { bytes: size } of batch.deadLetters) assert.ok(size > batchLimits.bytes - 1_000);
        cursor = batch.to;
      }
      assert.deepEqual(
        seen,
        events.map(({ position }) => position),
      );
    }),
  );
});

test("a record that the brokers refuse for its size is buried with those before it, and nothing else", async () => {
  const sample = await anEvent();
  const event = (position: number, length: number): TailedEvent => ({ ...sample, position, json: "x".repeat(length) });
  const batch = nextBatch([event(7, 2_000_000), event(8, 500_000), event(9, 500_000)], 1);
  const buried = buryRecords(batch);
  assert.deepEqual(buried.records, []);
  assert.equal(buried.to, 8);
  assert.deepEqual(
    buried.deadLetters.map(({ position, bytes }) => [position, bytes]),
    [
      [7, 2_000_000],
      [8, 500_000],
    ],
  );
});

function at(...pairs: [partition: number, offset: bigint][]): WrittenAt[] {
  return pairs.map(([partition, offset]) => ({ partition, offset }));
}

test("offsets must rise in each partition, and one that does not makes the whole batch unbelievable", () => {
  const watch = new OffsetWatch();
  assert.equal(watch.accept(at([0, 0n], [1, 40n])), true);
  assert.equal(watch.accept(at([0, 5n], [1, 40n])), false);
  assert.equal(watch.accept(at([0, 5n], [1, 41n])), true, "a refused batch was remembered");
  assert.equal(watch.accept(at([0, 5n])), false);
  assert.equal(watch.accept(at([2, -1n])), false);
  assert.equal(watch.accept([]), false, "no offset at all is no acknowledgement");
  watch.forget();
  assert.equal(watch.accept(at([0, 0n])), true);
});

test("a call while nobody sleeps is not missed", async () => {
  const wakeUp = new WakeUp();
  wakeUp.now();
  await wakeUp.wait(2 ** 30);
  const sleeping = wakeUp.wait(2 ** 30);
  wakeUp.now();
  await sleeping;
});
