import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delta } from "@soma/contracts/session-stream";
import * as fc from "fast-check";
import { StepText } from "../../src/streams/step-text.ts";
import type { RunningText } from "../../src/streams/text-growth.ts";

/** A text of an attempt, and what it tells. */
function textOf(attempt: number, earlier?: RunningText) {
  const told: Delta[] = [];
  const removed: boolean[] = [];
  const text = new StepText(attempt, {
    step: "completion-1",
    earlier: async () => earlier,
    tell: (delta) => told.push(delta),
    release: () => undefined,
    remove: ({ stored }) => removed.push(stored),
  });
  return { text, told, removed };
}

/** The pieces of the last attempt, joined; each follows the one before. */
function joined(told: readonly Delta[], before = ""): string {
  let whole = before;
  let attempt: number | undefined;
  for (const delta of told) {
    if (attempt !== undefined && delta.attempt !== attempt) whole = "";
    attempt = delta.attempt;
    assert.equal(delta.offset, whole.length);
    assert.ok(delta.text.isWellFormed() && delta.text !== "");
    whole += delta.text;
  }
  return whole;
}

/** Any UTF-16, in any pieces: halves of characters included, alone and cut apart. */
const units = fc.array(fc.constantFrom("a", "ß", "🙂", "\uD83D", "\uDE42", "\n", "日"), { maxLength: 40 });
const cuts = fc.array(fc.nat(60), { maxLength: 8 });

function piecesOf(whole: string, at: readonly number[]): string[] {
  const places = [0, ...at.filter((place) => place < whole.length).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.slice(places[index], end));
}

test("however a text is cut, its deltas are whole characters and joined are the text as it is recorded", () => {
  fc.assert(
    fc.property(units, cuts, (letters, at) => {
      const whole = letters.join("");
      const { text, told } = textOf(1);
      for (const piece of piecesOf(whole, at)) text.write(piece);
      text.finish();
      assert.equal(joined(told), whole.toWellFormed());
    }),
  );
});

test("a text that is told again goes on where it stopped; another one begins anew; both joined are the text", async () => {
  await fc.assert(
    fc.asyncProperty(units, cuts, units, fc.boolean(), async (letters, at, others, same) => {
      const whole = letters.join("").toWellFormed();
      const before = same ? whole.slice(0, others.length).toWellFormed() : others.join("").toWellFormed();
      const { text, told } = textOf(7, { attempt: 3, text: before });
      await text.begin({ replayed: true });
      for (const piece of piecesOf(whole, at)) text.write(piece);
      text.finish();
      if (whole.startsWith(before)) {
        assert.equal(joined(told, before), whole);
        assert.equal(text.attempt, 3);
      } else {
        assert.equal(joined(told.filter(({ attempt }) => attempt === 7)), whole);
        assert.equal(text.attempt, 7);
      }
    }),
  );
});

test("a text that the model makes anew is told anew, whatever was told before", async () => {
  const { text, told } = textOf(2, { attempt: 1, text: "Hel" });
  await text.begin({ replayed: false });
  text.write("Hello");
  text.finish();
  assert.deepEqual(told, [{ step: "completion-1", attempt: 2, offset: 0, text: "Hello" }]);
});

test("a first attempt whose text was never stored leaves nothing to remove; a later one always does", async () => {
  const first = textOf(1);
  await first.text.begin({ replayed: true });
  first.text.close({ done: true });
  assert.deepEqual(first.removed, [false]);
  const second = textOf(2);
  await second.text.begin({ replayed: false });
  second.text.close({ done: false });
  assert.deepEqual(second.removed, []);
  second.text.close({ done: true });
  assert.deepEqual(second.removed, [true]);
});
