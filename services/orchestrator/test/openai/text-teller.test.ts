import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { TextTeller } from "../../src/openai/text-teller.ts";

/** A text of any characters, those beyond U+FFFF included, cut into pieces anywhere: between the halves of a pair, too. */
const cutText = fc.tuple(
  fc.string({ unit: "binary", maxLength: 60 }).filter((text) => text.isWellFormed()),
  fc.array(fc.nat({ max: 60 }), { maxLength: 8 }),
);

function piecesOf(text: string, cuts: readonly number[]): { offset: number; text: string }[] {
  const borders = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].toSorted((a, b) => a - b);
  return borders.slice(0, -1).map((offset, index) => ({ offset, text: text.slice(offset, borders[index + 1]) }));
}

test("whatever is missed, repeated or cut, the pieces joined are the text, and none holds half a character", () => {
  fc.assert(
    fc.property(cutText, fc.array(fc.nat({ max: 9 }), { maxLength: 20 }), ([text, cuts], order) => {
      const pieces = piecesOf(text, cuts);
      const teller = new TextTeller(0);
      let told = "";
      for (const index of order) {
        const piece = pieces[index];
        if (!piece) continue;
        const now = teller.take({ step: "s", ...piece });
        assert.ok(now.isWellFormed());
        told += now;
        assert.equal(told.length, teller.offset);
      }
      assert.equal(told + (teller.rest(text) ?? "contradicted"), text);
    }),
  );
});

test("a reader that comes back gets what is after its place, from deltas or from the end", () => {
  fc.assert(
    fc.property(cutText, fc.nat({ max: 60 }), ([text, cuts], from) => {
      const start = Math.min(from, text.length);
      const teller = new TextTeller(start);
      let told = "";
      for (const piece of piecesOf(text, cuts)) told += teller.take({ step: "s", ...piece });
      assert.equal(told + (teller.rest(text) ?? "contradicted"), text.slice(start));
    }),
  );
});

test("a text that was begun anew with other words is not told as if it were one", () => {
  const teller = new TextTeller(0);
  const step = "s";
  assert.equal(teller.take({ step, offset: 0, text: "Hello wor" }), "Hello wor");
  assert.equal(teller.take({ step, offset: 0, text: "Hi" }), "");
  assert.equal(teller.take({ step, offset: 9, text: "ld" }), "", "nothing more of it");
  assert.equal(teller.rest("Hi there"), undefined);
  assert.equal(new TextTeller(0).rest("Hi there"), "Hi there");
});
