import assert from "node:assert/strict";
import { test } from "node:test";
import { demoSession } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`a worker that ends by ${signal} in the middle of a model call is followed by another, and the session completes once`, async (context) => {
    const model = await startFaultProxy(context, stackUnderTest().urls.slm);
    // Longer than a worker that stops waits for what it has begun.
    model.fault = { kind: "slow", ms: 9_000 };
    const door = await startOrchestrator(context, { entry: "main-api" });
    const { api, taskQueue, dataDir } = door;
    const worker = {
      entry: "main-worker",
      args: ["--task-queue", taskQueue],
      dataDir,
      env: { SLM_BASE_URL: model.url },
    } as const;
    const first = await startOrchestrator(context, worker);
    const session = demoSession("Write a long story about a lighthouse keeper and his daughter.");
    const id = session.metadata.session_id;
    await api.start(session);
    await until("the model is called", () => (model.seen.length > 0 ? true : undefined));
    first.child.kill(signal);
    model.fault = { kind: "pass" };
    await startOrchestrator(context, worker);
    const ended = await api.ended(id, 60_000);
    const events = await api.events(id);
    assert.equal(ended.status, "completed", JSON.stringify(ended.error));
    assert.equal(events.filter(({ type }) => type === "effect.completed").length, 1);
    assert.deepEqual(
      events.filter(({ type }) => type.startsWith("dependency.")),
      [],
      "the model was not away",
    );
  });
}
