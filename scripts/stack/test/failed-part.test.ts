import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runDirOf } from "../src/layout.ts";
import { startStack } from "../src/start-stack.ts";
import { PartFailedError } from "../src/stack-error.ts";
import type { StackState } from "../src/state/stack-state.ts";
import { listProcesses, nameStack } from "./test-stack.ts";

test("a part that fails ends the whole start, shows its log and says what to do", async (t) => {
  const name = nameStack(t, "failed");
  const data = join(runDirOf(name), "data");
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "temporal.db"), "not a database".repeat(400));
  let last: StackState | undefined;
  const start = startStack({
    name,
    parts: ["temporal", "policy-engine"],
    onChange: (state) => {
      last = state;
    },
  });
  await assert.rejects(start, (error) => {
    assert.ok(error instanceof PartFailedError);
    assert.equal(error.part, "temporal");
    assert.match(error.message, /^temporal ended with exit code 1 before it was ready\.\n {2}\| .*not a database/s);
    assert.match(error.message, /Whole log: .*temporal\.log\nWhat to do: .*move temporal\.db away/);
    return true;
  });
  assert.ok(last);
  assert.deepEqual(listProcesses(last), []);
  const statuses = last.parts.map((part) => [part.name, part.status]);
  assert.deepEqual(statuses, [
    ["temporal", "failed"],
    ["policy-engine", "stopped"],
  ]);
});
