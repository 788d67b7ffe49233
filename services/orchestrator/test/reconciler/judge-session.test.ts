import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judgeSession, type Patience, type Repair } from "../../src/reconciler/judge-session.ts";
import type { WorkflowState } from "../../src/temporal/session-workflows.ts";

const patience: Patience = { quietMs: 1, startMs: 120_000, lostMs: 600_000 };
const created_at = "2026-03-01T00:00:00.000Z";
const runId = "run-1";
const failed = (code: string): unknown => ({ kind: "end", end: { status: "failed", error: { code } } });

interface Case {
  readonly what: string;
  readonly run_id?: string;
  readonly cancel_requested?: true;
  readonly ageMs?: number;
  readonly missingForMs?: number;
  readonly workflow: WorkflowState | undefined;
  readonly repair: unknown;
}

const cases: readonly Case[] = [
  {
    what: "a workflow that runs needs nothing",
    run_id: runId,
    workflow: { status: "running", runId, cancelRequested: false },
    repair: undefined,
  },
  {
    what: "a row without the run id of its workflow gets it",
    workflow: { status: "running", runId, cancelRequested: false },
    repair: { kind: "run", runId },
  },
  {
    what: "a recorded request to cancel that the workflow did not get is carried to it",
    run_id: runId,
    cancel_requested: true,
    workflow: { status: "running", runId, cancelRequested: false },
    repair: { kind: "cancel" },
  },
  {
    what: "and is not carried twice",
    run_id: runId,
    cancel_requested: true,
    workflow: { status: "running", runId, cancelRequested: true },
    repair: undefined,
  },
  { what: "a start without a workflow may still be finished", ageMs: 119_999, workflow: undefined, repair: undefined },
  {
    what: "a start without a workflow is given up after two minutes",
    ageMs: 120_000,
    workflow: undefined,
    repair: failed("START_INCOMPLETE"),
  },
  {
    what: "a workflow that ran and is not known any more is waited for",
    run_id: runId,
    ageMs: 86_400_000,
    missingForMs: 599_999,
    workflow: undefined,
    repair: undefined,
  },
  {
    what: "after ten minutes it is lost",
    run_id: runId,
    ageMs: 86_400_000,
    missingForMs: 600_000,
    workflow: undefined,
    repair: failed("SESSION_LOST"),
  },
  {
    what: "terminated from outside",
    run_id: runId,
    workflow: { status: "terminated", runId },
    repair: failed("SESSION_TERMINATED"),
  },
  {
    what: "out of its time",
    run_id: runId,
    workflow: { status: "timed_out", runId },
    repair: { kind: "end", end: { status: "timed_out" } },
  },
  {
    what: "canceled before it could record",
    run_id: runId,
    workflow: { status: "canceled", runId },
    repair: { kind: "end", end: { status: "canceled" } },
  },
  {
    what: "failed because the id was another's: the code is the workflow's own",
    workflow: { status: "failed", runId, code: "SESSION_ID_TAKEN" },
    repair: failed("SESSION_ID_TAKEN"),
  },
  {
    what: "completed without an end in this ledger: it is no completion of this session",
    run_id: runId,
    workflow: { status: "completed", runId },
    repair: failed("SESSION_LOST"),
  },
];

describe("what a session that has not ended needs", () => {
  for (const { what, run_id, cancel_requested, ageMs = 60_000, missingForMs = 0, workflow, repair } of cases) {
    test(what, () => {
      const row = {
        created_at,
        ...(run_id !== undefined && { run_id }),
        ...(cancel_requested !== undefined && { cancel_requested }),
      };
      const now = new Date(Date.parse(created_at) + ageMs);
      const found: Repair | undefined = judgeSession(row, workflow, { now, missingForMs, patience });
      assert.deepEqual(found, repair);
    });
  }
});
