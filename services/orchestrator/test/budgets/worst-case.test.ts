import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppliedPrice } from "@soma/contracts/budget";
import type { Usage } from "@soma/contracts/session";
import { sha256 } from "@soma/kit/digest";
import * as fc from "fast-check";
import { costOfUsage, inputTokenBound, worstCase } from "../../src/budgets/worst-case.ts";

const price = {
  prices_digest: sha256("prices"),
  currency: "EUR",
  input_micros_per_million: 150_000,
  output_micros_per_million: 600_001,
};

function usage(input: number, output: number, total = input + output): Usage {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: total };
}

function cost(input: number, output: number, by: AppliedPrice): number {
  return costOfUsage(usage(input, output), by);
}

test("the input is bounded by its bytes and a frame for each message and for the conversation", () => {
  assert.equal(inputTokenBound([]), 256);
  assert.equal(inputTokenBound([{ role: "user", content: "hello" }]), 256 + 16 + 4 + 5);
  // One character, four bytes of UTF-8: so many tokens at most.
  assert.equal(inputTokenBound([{ role: "user", content: "😀" }]), 256 + 16 + 4 + 4);
  const both = [
    { role: "system", content: "" },
    { role: "assistant", content: "ü" },
  ] as const;
  assert.equal(inputTokenBound(both), 256 + 2 * 16 + 6 + 9 + 2);
});

test("a cost is rounded up, and without a price there is none", () => {
  assert.equal(costOfUsage(usage(0, 0), price), 0);
  assert.equal(costOfUsage(usage(1, 0), price), 1);
  assert.equal(costOfUsage(usage(1_000_000, 1_000_000), price), 750_001);
  assert.equal(costOfUsage(usage(1_000_000, 1_000_001), price), 750_002);
  // Tokens that are in the total alone are paid as output.
  assert.equal(costOfUsage(usage(0, 0, 1_000_000), price), 600_001);
  assert.equal(costOfUsage(usage(5, 5), undefined), 0);
});

test("no number is too large: products beyond 2^53 are exact, and a sum beyond it is the largest there is", () => {
  const dear = { ...price, input_micros_per_million: 1_000_000_000_000, output_micros_per_million: 0 };
  assert.equal(worstCase(9_007_199_254, 1, dear).cost_micros, 9_007_199_254_000_000);
  assert.equal(worstCase(9_007_199_255, 1, dear).cost_micros, Number.MAX_SAFE_INTEGER);
});

test("whatever a call uses within its worst case costs no more than was set aside, and parts cost no less than the whole", (context) => {
  const seed = Date.now() % 2 ** 31;
  context.diagnostic(`seed ${seed}, 1000 runs`);
  const count = fc.integer({ min: 0, max: 10_000_000 });
  const rate = fc.integer({ min: 0, max: 1_000_000_000 });
  const property = fc.property(
    count,
    count,
    fc.nat(100),
    fc.nat(100),
    rate,
    rate,
    (bound, cap, p, q, input, output) => {
      const own = { ...price, input_micros_per_million: input, output_micros_per_million: output };
      const [used, written] = [Math.floor((bound * p) / 100), Math.floor((cap * q) / 100)];
      const { cost_micros } = worstCase(bound, cap, own);
      assert.ok(cost(used, written, own) <= cost_micros);
      const rest = cost(bound - used, cap - written, own);
      assert.ok(cost(used, written, own) + rest >= cost_micros);
      assert.ok(cost(used, written, own) + rest <= cost_micros + 1);
    },
  );
  fc.assert(property, { seed, numRuns: 1_000 });
});
