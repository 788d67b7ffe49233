import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { runDirOf, stateFileOf } from "../src/layout.ts";
import { findOwned, killOwned, markerVariable } from "../src/processes/owned-processes.ts";
import { identify, isRunning, readProcesses } from "../src/processes/process-table.ts";
import { writeState } from "../src/state/state-file.ts";
import type { StackState } from "../src/state/stack-state.ts";
import { nameStack, startTestStack, waitUntil } from "./test-stack.ts";

/** A process that sleeps; with `script` a shell that does something before. */
async function startSleeper(
  t: TestContext,
  script = "exec sleep 60",
  marker?: string,
): Promise<ChildProcess & { pid: number }> {
  const env = { PATH: process.env["PATH"], ...(marker !== undefined && { [markerVariable]: marker }) };
  const child = spawn("/bin/sh", ["-c", script], { stdio: "ignore", detached: true, env });
  await once(child, "spawn");
  t.after(() => child.kill("SIGKILL"));
  const { pid } = child;
  assert.ok(pid !== undefined);
  return Object.assign(child, { pid });
}

test("a process is recognised by pid and start, not by its pid alone", async (t) => {
  const { pid } = await startSleeper(t);
  const identity = identify(pid);
  assert.equal(isRunning(identity), true);
  assert.equal(isRunning({ ...identity, startTicks: identity.startTicks - 1 }), false);
  assert.equal(isRunning({ ...identity, bootId: "another boot" }), false);
});

test("children are found that changed their session, lost their parent or do not carry the marker", async (t) => {
  const marker = `test-${String(process.pid)}-family`;
  // Both lose their parent; the first loses its marker but stays in the session, the second leaves the session.
  const script = "(env -i sleep 61 &); (setsid sleep 62 &); exec sleep 63";
  const { pid } = await startSleeper(t, script, `${marker}/part`);
  const ownership = { marker, leaders: [identify(pid)] };
  await waitUntil("all three sleep, in two sessions", () => {
    const found = findOwned(ownership);
    return found.length === 3 && new Set(found.map(({ session }) => session)).size === 2;
  });
  await killOwned(ownership);
  assert.deepEqual(findOwned(ownership), []);
});

test("a crashed stack's processes are ended at the next start, and one that has only got their pid is not", async (t) => {
  const name = nameStack(t, "leftover");
  const marker = `test-${String(process.pid)}-leftover`;
  const orphan = await startSleeper(t, "exec sleep 60", `${marker}/temporal`);
  const stranger = await startSleeper(t);
  const reused = { ...identify(stranger.pid), startTicks: identify(stranger.pid).startTicks - 100 };
  const state: StackState = {
    name,
    marker,
    owner: reused,
    startedAt: new Date().toISOString(),
    rayDir: "/tmp/soma-test-that-is-not-there",
    parts: [
      {
        name: "temporal",
        status: "ready",
        since: new Date().toISOString(),
        address: "127.0.0.1:1",
        logFile: "none",
        process: reused,
        restarts: 0,
      },
    ],
  };
  mkdirSync(runDirOf(name), { recursive: true });
  writeState(stateFileOf(name), state);
  await startTestStack(t, name);
  await waitUntil("the orphan was killed", () => orphan.signalCode === "SIGKILL", 1_000);
  assert.equal(stranger.exitCode ?? stranger.signalCode, null);
  assert.ok(readProcesses().some(({ pid }) => pid === stranger.pid));
});
