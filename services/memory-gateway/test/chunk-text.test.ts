import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as assertProperty, oneof, property, string } from "fast-check";
import { chunkText, passageSize } from "../src/embeddings/chunk-text.ts";

const texts = oneof(
  string({ unit: "binary", maxLength: 3_000 }),
  string({ unit: "grapheme", maxLength: 3_000 }),
  array(string({ unit: "grapheme-ascii", maxLength: 700 }), { maxLength: 8 }).map((words) => words.join(" ")),
);

test("every letter of a text is in a passage, in its order, and no passage is too long for the model", () => {
  assertProperty(
    property(texts, (text) => {
      const passages = chunkText(text);
      assert.equal(passages.join("").replaceAll(/\s/gu, ""), text.replaceAll(/\s/gu, ""));
      for (const passage of passages) {
        assert.ok(passage.trim().length > 0);
        assert.ok(Array.from(passage.normalize("NFD")).length <= passageSize, String(passage.length));
      }
    }),
  );
});

test("words stay whole where they fit, and passages are filled", () => {
  const words = Array.from({ length: 200 }, (_, index) => `word${String(index)}`);
  const passages = chunkText(words.join("  \n"));
  assert.deepEqual(
    passages.flatMap((passage) => passage.split(" ")),
    words,
  );
  assert.ok(passages.length <= Math.ceil(words.join(" ").length / (passageSize - 10)), String(passages.length));
});
