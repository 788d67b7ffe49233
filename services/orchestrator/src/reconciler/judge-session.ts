import type { ErrorCode } from "@soma/contracts/error-codes";
import type { SessionEnd } from "../activities/session-activities.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { WorkflowState } from "../temporal/session-workflows.ts";

/** How long something may look wrong before it is held to be so. In milliseconds. */
export interface Patience {
  /** A session whose row said something new since then is looked after by its workflow. */
  readonly quietMs: number;
  /** A start without a workflow: whoever asked for it has had the time to ask again, which finishes it. */
  readonly startMs: number;
  /**
   * A session whose workflow ran and is not known to Temporal any more. Long, because an operator who has named the
   * wrong namespace must have the time to see it: nothing reopens a session.
   */
  readonly lostMs: number;
}

export const defaultPatience: Patience = { quietMs: 15_000, startMs: 120_000, lostMs: 600_000 };

/** What the index of sessions is to be told about one of them. */
export type Repair =
  | { readonly kind: "run"; readonly runId: string }
  /** The request to cancel is recorded, and did not get as far as the workflow. */
  | { readonly kind: "cancel" }
  | { readonly kind: "end"; readonly end: SessionEnd };

/**
 * What must be repaired in a session that has not ended, judged by its row and what Temporal says of its workflow.
 * Undefined: nothing, or not yet.
 *
 * @param missingForMs for how long Temporal has been seen to know no such workflow
 */
export function judgeSession(
  row: Pick<SessionRow, "run_id" | "created_at" | "cancel_requested">,
  workflow: WorkflowState | undefined,
  { now, missingForMs, patience }: { readonly now: Date; readonly missingForMs: number; readonly patience: Patience },
): Repair | undefined {
  if (workflow === undefined) {
    if (row.run_id !== undefined) return missingForMs >= patience.lostMs ? failed("SESSION_LOST") : undefined;
    const ageMs = now.getTime() - Date.parse(row.created_at);
    return ageMs >= patience.startMs ? failed("START_INCOMPLETE") : undefined;
  }
  switch (workflow.status) {
    case "running":
      if (row.run_id === undefined) return { kind: "run", runId: workflow.runId };
      return row.cancel_requested === true && !workflow.cancelRequested ? { kind: "cancel" } : undefined;
    case "canceled":
      return { kind: "end", end: { status: "canceled" } };
    case "timed_out":
      return { kind: "end", end: { status: "timed_out" } };
    case "terminated":
      return failed("SESSION_TERMINATED");
    case "failed":
      return failed(workflow.code);
    case "completed":
      // A workflow records its end before it completes. One that did not is not ours, or of another ledger.
      return failed("SESSION_LOST");
  }
}

function failed(code: ErrorCode): Repair {
  return { kind: "end", end: { status: "failed", error: { code } } };
}
