import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readEventStream, type ServerSentEvent } from "../src/demo/event-stream.ts";

const stream =
  'retry: 1000\n\n: \n\nid: 1\nevent: session.created\ndata: {"a":\ndata: 1}\n\nevent: delta\r\ndata: é ☃\r\n\r\nevent: cut\ndata: off';
const expected = [
  { type: "session.created", data: '{"a":\n1}', id: "1" },
  { type: "delta", data: "é ☃" },
];

test("events are the same wherever the bytes are cut", async () => {
  const bytes = new TextEncoder().encode(stream);
  const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const borders = [0, ...places.toSorted((a, b) => a - b), bytes.length];
      const chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
      const events: ServerSentEvent[] = [];
      for await (const event of readEventStream(toAsync(chunks))) events.push(event);
      assert.deepEqual(events, expected);
    }),
  );
});

async function* toAsync(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
}
