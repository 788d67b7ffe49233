import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createMetrics } from "@soma/kit/metrics";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { startStack, type RunningStack } from "../../../../scripts/stack/src/start-stack.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { SessionReconciler } from "../../src/reconciler/session-reconciler.ts";
import { createSessionMetrics } from "../../src/session-metrics.ts";
import { readSessionInput } from "../../src/sessions/session-input.ts";
import { createSessionWorkflows } from "../../src/temporal/session-workflows.ts";
import { TemporalLink } from "../../src/temporal/temporal-link.ts";
import { demoSession, eventTypes, openSession, readRow } from "../harness/sessions.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";
import { stepEvents } from "../ledger/sample-events.ts";

/** Nobody polls it: workflows stay as they were started. */
const taskQueue = "nobody-polls-this";

describe("the reconciler, on a real Temporal", () => {
  let stack: RunningStack;
  let link: TemporalLink;
  before(async () => {
    stack = await startStack({ name: `test-reconciler-${String(process.pid)}`, parts: ["temporal"] });
    link = new TemporalLink({ address: stack.url("temporal"), namespace: "default" }, {});
    await link.connected();
  });
  after(async () => {
    await link.close();
    await stack.stop();
    rmSync(stack.runDir, { recursive: true, force: true });
  });

  const reconcilerOf = (ledger: Ledger, patience: { startMs: number; lostMs: number }) => {
    const metrics = createMetrics("test");
    const { log, text } = createTestLog();
    const reconciler = new SessionReconciler({
      ledger,
      workflows: createSessionWorkflows(link, taskQueue, false),
      log,
      metrics: createSessionMetrics(metrics.registry),
      now: () => new Date(),
      patience: { quietMs: 0, ...patience },
    });
    return { reconciler, metrics, text };
  };
  const startSession = async (ledger: Ledger, session_id: string) => {
    const row = await openSession(ledger, { session_id });
    const workflows = createSessionWorkflows(link, taskQueue, false);
    const { runId } = await workflows.start(readSessionInput({ ...demoSession, session_id }));
    return { row, runId };
  };
  const terminate = (session_id: string): Promise<unknown> =>
    link.call(5_000, (client) => client.workflow.getHandle(`session-${session_id}`).terminate("by hand"));

  test("a session that was terminated from outside ends, and so does the effect that it had under way", async () => {
    await using store = await openTemporaryLedger();
    const { ledger } = store;
    const { row, runId } = await startSession(ledger, "terminated");
    await ledger.setRunId({ tenant: row.tenant, sessionId: row.session_id, runId });
    const [decided, intended] = stepEvents({ tenant: row.tenant, session_id: row.session_id }, "completion-1");
    assert.ok(decided && intended);
    await ledger.append([decided, intended]);
    const { reconciler, metrics, text } = reconcilerOf(ledger, { startMs: 0, lostMs: 0 });
    await reconciler.pass();
    assert.equal((await readRow(ledger, row)).status, "running", "its workflow is there");

    await terminate(row.session_id);
    await reconciler.pass();
    const ended = await readRow(ledger, row);
    assert.equal(ended.status, "failed");
    assert.equal(ended.error?.code, "SESSION_TERMINATED");
    const types = await eventTypes(ledger, row);
    assert.deepEqual(types, [
      "session.created",
      "policy.decided",
      "effect.intended",
      "effect.failed",
      "session.failed",
    ]);
    assert.match(text(), /"session_id":"terminated".*ended without saying so/);
    assert.match(await metrics.registry.metrics(), /soma_sessions_reconciled_total\{[^}]*repair="failed"[^}]*\} 1\n/);

    await reconciler.pass();
    assert.equal((await eventTypes(ledger, row)).length, 5, "once");
  });

  test("two reconcilers that see it at once record one end", async () => {
    await using store = await openTemporaryLedger();
    const other = await store.reopen();
    const { row } = await startSession(store.ledger, "twice-seen");
    await terminate(row.session_id);
    const patience = { startMs: 0, lostMs: 0 };
    const both = [reconcilerOf(store.ledger, patience), reconcilerOf(other, patience)];
    await Promise.all(both.map(({ reconciler }) => reconciler.pass()));
    assert.deepEqual(await eventTypes(store.ledger, row), ["session.created", "session.failed"]);
  });

  test("a start that died between the row and the workflow is given up, but not at once", async () => {
    await using store = await openTemporaryLedger();
    const row = await openSession(store.ledger, { session_id: "never-started" });
    await reconcilerOf(store.ledger, { startMs: 60_000, lostMs: 0 }).reconciler.pass();
    assert.equal((await readRow(store.ledger, row)).status, "starting");
    await reconcilerOf(store.ledger, { startMs: 0, lostMs: 60_000 }).reconciler.pass();
    const ended = await readRow(store.ledger, row);
    assert.equal(ended.error?.code, "START_INCOMPLETE");
  });

  test("a start that died after the workflow gets its run id", async () => {
    await using store = await openTemporaryLedger();
    const { row, runId } = await startSession(store.ledger, "no-run-id");
    await reconcilerOf(store.ledger, { startMs: 0, lostMs: 0 }).reconciler.pass();
    const repaired = await readRow(store.ledger, row);
    assert.equal(repaired.run_id, runId);
    assert.equal(repaired.status, "starting");
    await terminate(row.session_id);
  });

  test("a request to cancel that was recorded and did not reach the workflow is carried there, once", async () => {
    await using store = await openTemporaryLedger();
    const { row, runId } = await startSession(store.ledger, "cancel-recorded");
    await store.ledger.setRunId({ tenant: row.tenant, sessionId: row.session_id, runId });
    const { reconciler, metrics } = reconcilerOf(store.ledger, { startMs: 0, lostMs: 0 });
    const workflows = createSessionWorkflows(link, taskQueue, false);
    const asked = async () => {
      const state = await workflows.describe(row.session_id);
      return state?.status === "running" && state.cancelRequested;
    };
    await reconciler.pass();
    assert.equal(await asked(), false, "nobody has asked");
    await store.ledger.append([
      { ...eventContext(row), type: "session.cancel_requested", key: "c", data: { by: row.user } },
    ]);
    await reconciler.pass();
    await reconciler.pass();
    assert.equal(await asked(), true);
    assert.match(await metrics.registry.metrics(), /soma_sessions_reconciled_total\{[^}]*repair="cancel"[^}]*\} 1\n/);
    await terminate(row.session_id);
  });

  test("a session whose workflow is gone is waited for, and then lost", async () => {
    await using store = await openTemporaryLedger();
    const row = await openSession(store.ledger, { session_id: "gone" });
    await store.ledger.setRunId({ tenant: row.tenant, sessionId: row.session_id, runId: "run-of-another-temporal" });
    const patient = reconcilerOf(store.ledger, { startMs: 0, lostMs: 60_000 }).reconciler;
    await patient.pass();
    await patient.pass();
    assert.equal((await readRow(store.ledger, row)).status, "starting");
    await reconcilerOf(store.ledger, { startMs: 60_000, lostMs: 0 }).reconciler.pass();
    assert.equal((await readRow(store.ledger, row)).error?.code, "SESSION_LOST");
  });

  test("a Temporal that is away proves nothing", async () => {
    await using store = await openTemporaryLedger();
    const row = await openSession(store.ledger, { session_id: "unknown" });
    const nowhere = new TemporalLink({ address: "127.0.0.1:1", namespace: "default" }, {});
    const reconciler = new SessionReconciler({
      ledger: store.ledger,
      workflows: createSessionWorkflows(nowhere, taskQueue, false),
      log: createTestLog().log,
      metrics: createSessionMetrics(createMetrics("test").registry),
      now: () => new Date(),
      patience: { quietMs: 0, startMs: 0, lostMs: 0 },
    });
    await assert.rejects(reconciler.pass(), { code: "TEMPORAL_UNAVAILABLE" });
    await nowhere.close();
    assert.equal((await readRow(store.ledger, row)).status, "starting");
  });
});
