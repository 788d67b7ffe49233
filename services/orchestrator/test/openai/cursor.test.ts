import assert from "node:assert/strict";
import { test } from "node:test";
import { cursorNumber, readCursor } from "../../src/openai/cursor.ts";

test("a number of the stream is read back, and a bare sequence of the ledger stands for all of its event", () => {
  assert.equal(cursorNumber(4, 37), 40_000_037);
  assert.deepEqual(readCursor(40_000_037), { sequence: 4, place: 37, isWhole: false });
  assert.deepEqual(readCursor(4), { sequence: 4, place: 2, isWhole: true });
  assert.deepEqual(readCursor(0), { sequence: 0, place: 2, isWhole: true });
  // The longest text and more events than a session can have stay whole numbers that JSON keeps.
  assert.ok(Number.isSafeInteger(cursorNumber(100_000_000, 4_194_306)));
});
