import assert from "node:assert/strict";
import { test } from "node:test";
import { plans } from "../bench/plan.ts";
import { measureModelStream } from "../bench/suite/model-stream.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { stepTokenOf, tokenOf } from "../harness/tokens.ts";

const stack = stackUnderTest();

test("B13 runs, with counts that mean nothing: both ways give a whole answer of the same length", async () => {
  const { comparisons, raw } = await measureModelStream(
    {
      gatewayUrl: stack.urls.gateway,
      modelUrl: stack.urls.slm,
      callerToken: () => tokenOf("tenant-demo", "user-demo"),
      modelToken: () => stepTokenOf("tenant-demo", "user-demo"),
    },
    plans.smoke,
    () => undefined,
  );
  assert.deepEqual(
    comparisons.map(({ id, faults }) => [id, faults]),
    [
      ["B13", []],
      ["B13", []],
    ],
  );
  // The same words, since the model is asked at temperature 0: what comes through the door is the whole answer.
  const tokens = Object.values(raw.rounds[0] ?? {}).map(({ answers }) => answers.map((one) => one.tokens));
  assert.equal(tokens.length, 2);
  assert.deepEqual(tokens[0], tokens[1]);
});
