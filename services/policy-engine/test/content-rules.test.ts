import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { compileNear } from "../src/content/near-words.ts";
import { compileRule } from "../src/content/compile-rule.ts";
import { prepareText } from "../src/content/prepare-text.ts";
import type { PackRule } from "../src/packs/pack-schema.ts";

const base: PackRule = {
  id: "r",
  actions: ["model.complete"],
  effect: "deny",
  score: 1,
  severity: "high",
  reason: "because",
};
function matches(rule: Partial<PackRule>, prompt: string): boolean {
  const text = prepareText(prompt);
  assert.ok(text);
  return compileRule({ ...base, ...rule }).matches(text);
}

const cases: readonly [title: string, rule: Partial<PackRule>, prompt: string, expected: boolean][] = [
  ["a term is found whatever its case", { terms: ["Drop Database"] }, "please DROP database now", true],
  ["a term is found over line breaks and punctuation", { terms: ["drop database"] }, "drop\n  `database`!", true],
  ["a term is not found inside a word", { terms: ["drop"] }, "raindrops", false],
  ["full-width letters are folded", { terms: ["drop"] }, "ｄｒｏｐ it", true],
  ["zero-width characters hide nothing", { terms: ["drop"] }, "dr\u200Bo\u00ADp it", true],
  ["a combining accent is part of its word", { terms: ["resume"] }, "re\u0301sume\u0301", false],
  ["near finds words in order", { near: { words: [["ignore"], ["rule*"]], within: 3 } }, "Ignore the rules", true],
  ["near knows no case in the pack", { near: { words: [["IGNORE"]], within: 1 } }, "ignore", true],
  ["near wants the order", { near: { words: [["ignore"], ["rules"]], within: 9 } }, "rules to ignore", false],
  ["near wants the distance", { near: { words: [["ignore"], ["rules"]], within: 3 } }, "ignore a b rules", false],
  ["one word does not serve two groups", { near: { words: [["a*"], ["a*"]], within: 5 } }, "abc", false],
  ["a pattern sees one space for any white space", { pattern: "rm -rf" }, "rm\t \n-rf", true],
  ["each of several tests is enough", { terms: ["zzz"], pattern: "abc" }, "xabcx", true],
  ["an empty prompt matches nothing", { terms: ["a"], pattern: "b" }, "", false],
];
for (const [title, rule, prompt, expected] of cases) {
  test(title, () => assert.equal(matches(rule, prompt), expected));
}

test("near says the same as trying every combination of positions", () => {
  const word = fc.constantFrom("a", "b", "c", "x");
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(word, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(word, { maxLength: 12 }),
      (groups, within, words) => {
        const found = (group: number, from: number, start: number): boolean =>
          group === groups.length ||
          words.some(
            (text, at) =>
              at >= from &&
              groups[group]?.includes(text) === true &&
              at - (group === 0 ? at : start) < within &&
              found(group + 1, at + 1, group === 0 ? at : start),
          );
        assert.equal(compileNear(groups, within)(words), found(0, 0, 0));
      },
    ),
    { numRuns: 1000 },
  );
});

test("a text that folding makes too long is refused and never cut", () => {
  // U+FDFA folds into eighteen characters.
  assert.equal(prepareText("\uFDFA".repeat(10_000)), undefined);
  assert.equal(prepareText("a".repeat(102_400))?.text.length, 102_400);
});
