import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkRecords, invariants } from "./invariants.ts";
import type { RunRecords } from "./records.ts";
import { seeds } from "./seeds.ts";

/** Records of a real run: `temporal_failover.sh --sessions 14 --seed 5 --faults worker,policy-engine --json …`. */
const file: { readonly records: RunRecords } = JSON.parse(
  readFileSync(new URL("histories/good-run.json", import.meta.url), "utf8"),
);
const { records } = file;

const violated = (changed: RunRecords): string[] =>
  checkRecords(changed).flatMap(({ name, violations }) => (violations.length > 0 ? [name] : []));

test("in the records of a run in which faults fired every invariant holds, and they say something", () => {
  assert.deepEqual(violated(records), []);
  assert.ok(records.fired.length >= 2);
  assert.ok(records.client.some(({ streams }) => streams.length > 1));
  assert.ok(records.client.some(({ cancels }) => cancels.length > 0));
  assert.ok(records.requests.some(({ finished, target }) => finished && target === "slm"));
});

test("the invariants are these, and each has a seeded violation", () => {
  assert.deepEqual(Object.keys(invariants).toSorted(), [
    "back-in-time",
    "chain-whole",
    "ends-as-promised",
    "every-session-ends",
    "faults-fired",
    "intent-before-effect",
    "no-effect-after-stop",
    "no-effect-twice",
    "no-ghost",
    "no-phantom-outcome",
    "no-secret",
    "no-session-lost",
    "nothing-dropped-silently",
    "one-ledger",
    "permit-before-effect",
    "resources-return",
    "retries-bounded",
    "same-key-same-session",
    "status-agrees",
    "stays-ended",
    "streams-gap-free",
    "tenants-apart",
    "topic-equals-ledger",
    "topic-in-order",
    "topic-same-bytes",
  ]);
  for (const [name, ways] of Object.entries(seeds)) assert.ok(Object.keys(ways).length > 0, name);
  assert.deepEqual(Object.keys(seeds).toSorted(), Object.keys(invariants).toSorted());
});

/** What the state machine forbids as well, which the offline verifier knows: there it is found a second time. */
const alsoForbidden: ReadonlySet<string> = new Set(["no decision", "an intent after the request to cancel"]);

for (const [name, ways] of Object.entries(seeds)) {
  for (const [way, seed] of Object.entries(ways)) {
    test(`${name}: ${way} – exactly this check goes red`, () => {
      const also = alsoForbidden.has(way) ? ["chain-whole"] : [];
      assert.deepEqual(violated(seed(records)), [name, ...also]);
    });
  }
}
