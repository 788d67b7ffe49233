import type { Cause } from "@soma/contracts/diagnosis";
import type { Inspection, PendingActivity } from "../temporal/session-inspector.ts";
import { sinceOf, type Facts } from "./facts.ts";

/** What waits for so long without having begun is in a queue, and not just on its way. */
const onItsWayMs = 3_000;

/** What Temporal knows of it: whether there is a workflow, who would work on it, and what it is trying. */
export function temporalCauses({ workflow, row, now }: Facts): Cause[] {
  if (workflow === undefined) return [];
  if (workflow === "unknown_workflow" || !workflow.running) return [withoutWorkflow(workflow, row.created_at)];
  return [...noWorker(workflow, row.task_queue), ...retrying(workflow), ...queued(workflow, now)];
}

function withoutWorkflow(workflow: Inspection | "unknown_workflow", created_at: string): Cause {
  const unknown = workflow === "unknown_workflow";
  return {
    code: "no_workflow",
    since: created_at,
    what: unknown
      ? "Temporal knows no workflow of it: its start was not finished, or Temporal has lost it."
      : "Its workflow has ended without recording the session's end.",
    would_move: unknown
      ? "The same start again, with the same session id or Idempotency-Key; otherwise the reconciler ends it within ten minutes."
      : "The reconciler of a worker records the end within a minute; see that a worker runs.",
  };
}

function noWorker({ polled, backlog }: Inspection, queue: string): Cause[] {
  return (["workflow", "activity"] as const).flatMap((type) => {
    const { lately, last } = polled[type];
    if (lately) return [];
    return [
      {
        code: "no_worker" as const,
        ...sinceOf(last),
        what: `No worker asks for ${type} tasks on the queue ${queue}.`,
        would_move: `An operator: start a worker with --task-queue ${queue}.`,
        details: { task_queue: queue, type, backlog },
      },
    ];
  });
}

function retrying({ activities }: Inspection): Cause[] {
  return activities.filter(isRetried).map(retriedActivity);
}

function retriedActivity(one: PendingActivity): Cause {
  return {
    code: "retrying",
    ...sinceOf(one.scheduledAt),
    what: `Its activity ${one.activity} has failed and is tried again (attempt ${String(one.attempt)}).`,
    would_move:
      "It is tried again by itself; if the failure stays, see the code and the service behind it, or POST …/actions/cancel.",
    details: detailsOf(one),
  };
}

function isRetried({ attempt, state }: PendingActivity): boolean {
  return attempt > 1 && state !== "cancel_requested";
}

function queued({ activities, task, backlog, historyEvents }: Inspection, now: Date): Cause[] {
  const isLate = (since: Date | undefined): boolean =>
    since !== undefined && now.getTime() - since.getTime() >= onItsWayMs;
  const waiting = activities.filter(
    ({ state, attempt, scheduledAt }) => state === "scheduled" && attempt === 1 && isLate(scheduledAt),
  );
  const causes = waiting.map((one) => queuedActivity(one, backlog));
  if (task !== undefined && !task.started && isLate(task.since)) {
    causes.push({
      code: "queued",
      ...sinceOf(task.since),
      what: "Its workflow waits for a worker to go on with it.",
      would_move: "A worker that gets free; an operator: more workers on this queue.",
      details: { attempt: task.attempt, backlog, history_events: historyEvents },
    });
  }
  return causes;
}

function queuedActivity(one: PendingActivity, backlog: number): Cause {
  return {
    code: "queued",
    ...sinceOf(one.scheduledAt),
    what: `Its activity ${one.activity} waits for a free worker.`,
    would_move: "A worker that gets free; an operator: more workers on this queue.",
    details: { ...detailsOf(one), backlog },
  };
}

export function detailsOf(one: PendingActivity): NonNullable<Cause["details"]> {
  return {
    activity: one.activity,
    state: one.state,
    attempt: one.attempt,
    ...(one.maxAttempts !== undefined && { max_attempts: one.maxAttempts }),
    ...(one.lastFailure !== undefined && { last_failure: one.lastFailure }),
    ...(one.nextAttemptAt !== undefined && { next_attempt_at: one.nextAttemptAt.toISOString() }),
  };
}
