import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readField, readRecord } from "../src/json-fields.ts";
import { portNames } from "../src/ports.ts";
import { sendSignal } from "../src/processes/owned-processes.ts";
import { parseState } from "../src/state/state-file.ts";
import { listProcesses, nameStack } from "./test-stack.ts";

const program = fileURLToPath(new URL("../src/main.ts", import.meta.url));

function call(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

test("up leaves the stack running, status shows it, down ends it, each as often as one likes", (t) => {
  const name = nameStack(t, "cli");
  const named = ["--name", name];
  t.after(() => call("down", ...named));
  assert.equal(call("status", ...named).status, 3);
  const ports = portNames.flatMap((port) => ["--port", `${port}=0`]);
  const up = call("up", ...named, "--part", "temporal", ...ports);
  assert.equal(up.status, 0, up.output);
  assert.match(up.output, /temporal +ready +\d+\.\d s +127\.0\.0\.1:\d+\n/);
  assert.match(up.output, /Temporal UI +http:\/\/127\.0\.0\.1:\d+/);

  const shown: unknown = JSON.parse(call("status", ...named, "--json").output);
  assert.equal(readField(shown, "running"), true);
  const state = parseState(readRecord(shown, "state"));
  assert.equal(listProcesses(state).length, 1);
  const again = call("up", ...named, "--part", "temporal");
  assert.equal(again.status, 0);
  assert.match(again.output, /is up already/);

  assert.equal(call("down", ...named).status, 0);
  assert.deepEqual(listProcesses(state), []);
  assert.match(call("down", ...named).output, /is not running/);
});

test("down cleans up after an owner that was killed", (t) => {
  const name = nameStack(t, "crash");
  const named = ["--name", name];
  t.after(() => call("down", ...named));
  const ports = portNames.flatMap((port) => ["--port", `${port}=0`]);
  assert.equal(call("up", ...named, "--part", "temporal", ...ports).status, 0);
  const shown: unknown = JSON.parse(call("status", ...named, "--json").output);
  const state = parseState(readRecord(shown, "state"));
  sendSignal(state.owner.pid, "SIGKILL");
  assert.equal(call("down", ...named).status, 0);
  assert.deepEqual(listProcesses(state), []);
  assert.equal(call("status", ...named).status, 3);
});

test("wrong use is told with what is accepted", () => {
  assert.equal(call("dance").status, 2);
  assert.match(call("up", "--port", "temporal=x").output, /accepted: NAME=NUMBER/);
  assert.match(call("up", "--part", "console").output, /accepted: kafka, ray, slm, temporal/);
  assert.match(call("up", "--with", "ray").output, /accepted: kafka\n/);
});
