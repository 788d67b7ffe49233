import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { stateFileOf } from "../src/layout.ts";
import { parseState, readState } from "../src/state/state-file.ts";
import { listProcesses, nameStack, startTestStack, waitUntil } from "./test-stack.ts";

test("kill -9 of the owner ends its parts, and the next start goes on from there", async (t) => {
  const name = nameStack(t, "guardian");
  const program = fileURLToPath(new URL("programs/hold-temporal.ts", import.meta.url));
  const owner = spawn(process.execPath, [program, name], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => owner.kill("SIGKILL"));
  const lines = createInterface({ input: owner.stdout });
  const line: unknown = await lines[Symbol.asyncIterator]().next();
  assert.ok(typeof line === "object" && line !== null && "value" in line && typeof line.value === "string");
  const state = parseState(JSON.parse(line.value));
  assert.equal(listProcesses(state).length, 1);

  owner.kill("SIGKILL");
  await once(owner, "exit");
  await waitUntil("no process of the stack is left", () => listProcesses(state).length === 0);
  await waitUntil("Ray's folder is removed", () => !existsSync(state.rayDir));
  assert.equal(readState(stateFileOf(name))?.marker, state.marker, "the state of the dead owner is still there");

  const stack = await startTestStack(t, name);
  assert.notEqual(stack.state.marker, state.marker);
});
