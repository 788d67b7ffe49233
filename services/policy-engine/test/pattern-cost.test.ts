import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern } from "../src/content/compile-pattern.ts";
import { patternCost } from "../src/content/pattern-cost.ts";

const refused: readonly [source: string, reason: RegExp][] = [
  ["(a+)+b", /'\+' has no upper bound/],
  ["(?:a{1,9}){1,9}b", /steps at each character/],
  ["a*", /'\*' has no upper bound/],
  ["\\w+x", /'\+' has no upper bound/],
  ["a{2,}", /'\{2,\}' has no upper bound/],
  ["(a|a){30}", /steps at each character/],
  ["(?:(?:(?:a{0,9}){0,9}){0,9}){0,9999}b", /countless steps/],
  ["a{0,40}a{0,40}b", /steps at each character/],
  ["(a)\\1", /back-references/],
  ["(?<n>a)\\k<n>", /only \(\?:…\) is accepted/],
  ["(?=a)b", /only \(\?:…\) is accepted/],
  ["(?<!a)b", /only \(\?:…\) is accepted/],
  ["a(", /Unterminated group|Invalid regular expression/],
  ["a{3", /Invalid regular expression/],
  ["a{0,3}", /matches the empty text/],
  ["a|", /matches the empty text/],
];
for (const [source, reason] of refused) {
  test(`the pattern ${source} is refused`, () => {
    assert.throws(() => compilePattern(source), reason);
  });
}

const costs: readonly [source: string, steps: number, paths: number][] = [
  ["abc", 3, 1],
  ["a|bc", 3, 2],
  ["a{2}", 2, 1],
  ["a{0,3}", 3, 4],
  ["a?b", 3, 2],
  ["(?:a|b){1,2}", 6, 6],
  [String.raw`[\]*+]\*\p{L}\u{61}\{`, 5, 1],
  ["[^)(]{0,2}?x", 5, 3],
];
for (const [source, steps, paths] of costs) {
  test(`the cost of ${source} is ${String(steps)} steps and ${String(paths)} paths`, () => {
    assert.deepEqual(patternCost(source), { steps, paths });
  });
}

test("a pattern at the limit stays linear: the longest prompt of its worst kind is done within seconds", () => {
  const pattern = compilePattern("(?:a|a|a){1,5}b");
  assert.ok(pattern.steps > 500);
  const startedAt = performance.now();
  assert.equal(pattern.test("a".repeat(131_072)), false);
  assert.ok(performance.now() - startedAt < 5_000);
});

test("patterns know no case and see code points", () => {
  assert.ok(compilePattern("key: .{0,4}z").test("KEY: 🔑Z"));
});
