import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { suite, test } from "node:test";
import { stateFileOf } from "../src/layout.ts";
import { isFree } from "../src/ports.ts";
import { startStack } from "../src/start-stack.ts";
import { AlreadyRunningError } from "../src/state/run-lock.ts";
import { readState } from "../src/state/state-file.ts";
import { listProcesses, nameStack, startTestStack, waitUntil } from "./test-stack.ts";

// Each has a stack of its own, and most of the time is waiting.
suite("one part from start to stop", { concurrency: true }, () => {
  test("temporal starts, is found in the state file, and leaves nothing behind", async (t) => {
    const name = nameStack(t, "start");
    const stack = await startTestStack(t, name);
    const state = readState(stateFileOf(name));
    assert.deepEqual(state, stack.state);
    assert.equal(state?.parts[0]?.status, "ready");
    assert.equal(listProcesses(stack.state).length, 1);
    const port = Number(stack.url("temporal").split(":")[1]);
    assert.equal(await isFree(port), false);
    assert.throws(() => stack.url("ray"), TypeError);
    await assert.rejects(startStack({ name, parts: ["temporal"] }), AlreadyRunningError);
    assert.equal(listProcesses(stack.state).length, 1, "the refused start must not touch the running stack");

    await stack.stop();
    assert.deepEqual(listProcesses(state), []);
    assert.equal(await isFree(port), true);
    assert.equal(existsSync(stateFileOf(name)), false);
    assert.equal(existsSync(state.rayDir), false);
  });

  test("a part that was killed can be started again on the same port and data", async (t) => {
    const stack = await startTestStack(t, nameStack(t, "restart"));
    const before = stack.state.parts[0];
    await stack.kill("temporal", "SIGKILL");
    await waitUntil("its end is shown", () => stack.state.parts[0]?.status === "ended");
    assert.equal(stack.state.parts[0]?.note, "was ended by SIGKILL");
    await stack.restart("temporal");
    const after = stack.state.parts[0];
    assert.equal(after?.status, "ready");
    assert.equal(after.address, before?.address);
    assert.notDeepEqual(after.process, before?.process);
  });

  test("a supervised part that ends by itself comes back", async (t) => {
    const said: string[] = [];
    const supervise = (line: string): void => void said.push(line);
    const stack = await startTestStack(t, nameStack(t, "supervise"), { supervise });
    await stack.kill("temporal", "SIGKILL");
    await waitUntil("it is ready again", () => said.includes("temporal is ready again"));
    assert.equal(stack.state.parts[0]?.status, "ready");
    assert.equal(stack.state.parts[0]?.restarts, 1);
    assert.match(said[0] ?? "", /^temporal was ended by SIGKILL; starting it again in 0\.5 s \(1 of 8\)$/);
  });

  test("a start that is called off leaves nothing behind", async (t) => {
    const name = nameStack(t, "calloff");
    const states = new Map<string, Parameters<typeof listProcesses>[0]>();
    const stop = new AbortController();
    const start = startStack({
      name,
      parts: ["temporal"],
      signal: stop.signal,
      onChange: (state) => {
        states.set("last", state);
        stop.abort();
      },
    });
    await assert.rejects(start, { name: "AbortError" });
    const last = states.get("last");
    assert.ok(last);
    assert.deepEqual(listProcesses(last), []);
  });
});
