import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { EventStreamParser, type ServerSentEvent } from "../src/event-stream.ts";

const encoder = new TextEncoder();

function parse(...chunks: readonly (string | Uint8Array)[]): ServerSentEvent[] {
  const parser = new EventStreamParser();
  return chunks.flatMap((chunk) => parser.push(typeof chunk === "string" ? encoder.encode(chunk) : chunk));
}

/** A text on one line, with characters of one to four bytes. */
const line = fc
  .string({ unit: fc.constantFrom("a", " ", ":", "{", '"', "ß", "→", "語", "😀", "\u2028", "\u0085"), maxLength: 12 })
  .filter((text) => !text.startsWith(" "));
const name = fc.constantFrom("delta", "session.created", "policy.decided", "ß");
const event = fc.record(
  { type: name, data: fc.array(line, { minLength: 1, maxLength: 4 }), id: fc.nat().map(String) },
  { requiredKeys: ["type", "data"] },
);
const newline = fc.constantFrom("\n", "\r\n", "\r");

test("events come out as they went in, wherever the network cuts the bytes and however lines end", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(event, newline, fc.boolean()), { maxLength: 8 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
      (events, sizes) => {
        const text = events
          .map(([{ type, data, id }, end, heartbeat]) =>
            [
              ...(heartbeat ? [": ", ""] : []),
              ...(id === undefined ? [] : [`id: ${id}`]),
              `event: ${type}`,
              ...data.map((part) => `data: ${part}`),
              "",
              "",
            ].join(end),
          )
          .join("");
        const bytes = encoder.encode(text);
        const chunks: Uint8Array[] = [];
        for (let begin = 0; begin < bytes.length;) {
          const size = sizes.next().value ?? 1;
          chunks.push(bytes.subarray(begin, begin + size));
          begin += size;
        }
        const expected = events.map(([{ type, data, id }]) => ({
          type,
          data: data.join("\n"),
          ...(id !== undefined && { id }),
        }));
        assert.deepEqual(parse(...chunks), expected);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("what the standard says of fields, comments and blank lines", () => {
  assert.deepEqual(parse("\uFEFFdata: x\n\n"), [{ type: "message", data: "x" }], "a byte order mark");
  assert.deepEqual(parse("data:x\ndata\ndata:  y\n\n"), [{ type: "message", data: "x\n\n y" }], "one blank goes");
  assert.deepEqual(parse("event: a\n\ndata: x\n\n"), [{ type: "message", data: "x" }], "no data, no event");
  assert.deepEqual(parse("retry: 1\nunknown: 2\n: comment\n\n"), []);
  assert.deepEqual(parse("data: x\n"), [], "what is cut off is no event");
  assert.deepEqual(parse("id: 1\0\ndata: x\n\n"), [{ type: "message", data: "x" }], "an id with NUL is none");
  assert.deepEqual(parse("data: x\r", "\n", "\r\ndata: y\n\n"), [
    { type: "message", data: "x" },
    { type: "message", data: "y" },
  ]);
});

test("an event that does not end is given up before it fills the memory", () => {
  const parser = new EventStreamParser();
  const mebibyte = encoder.encode("x".repeat(1_048_576));
  parser.push(encoder.encode("data: "));
  assert.throws(() => {
    for (let count = 0; count < 10; count += 1) parser.push(mebibyte);
  }, RangeError);
  const lines = new EventStreamParser();
  assert.throws(() => {
    for (let count = 0; count < 10_000; count += 1) lines.push(encoder.encode(`data: ${"x".repeat(1_000)}\n`));
  }, RangeError);
});
