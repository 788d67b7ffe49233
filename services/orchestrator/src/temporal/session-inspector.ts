import { isGrpcServiceError, WorkflowNotFoundError, type Client } from "@temporalio/client";
import { tsToMs } from "@temporalio/common/lib/time.js";
import { isErrorCode, type ErrorCode } from "@soma/contracts/error-codes";
import { workflowIdPrefix } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { TemporalLink } from "./temporal-link.ts";

const deadlineMs = 1_200;
/** A worker asks anew at least every minute: one that has not for longer is gone, though Temporal names it for five. */
const pollWithinMs = 75_000;

/** Values of Temporal's enums (temporal.api.enums.v1) that are told apart here. */
const activityStates = new Map([
  [1, "scheduled"],
  [2, "started"],
  [3, "cancel_requested"],
  [4, "paused"],
  [5, "pause_requested"],
] as const);
const queueTypes = { workflow: 1, activity: 2 } as const;

/** An activity of a workflow that has not ended. */
export interface PendingActivity {
  readonly activity: string;
  readonly state: "scheduled" | "started" | "cancel_requested" | "paused" | "pause_requested" | "unknown";
  readonly attempt: number;
  readonly maxAttempts?: number;
  /** Of the last attempt; absent when it was none of ours. */
  readonly lastFailure?: ErrorCode;
  readonly scheduledAt?: Date;
  readonly startedAt?: Date;
  readonly nextAttemptAt?: Date;
}

/** What Temporal says of a session's workflow and of who works on its queue. */
export interface Inspection {
  readonly running: boolean;
  readonly cancelRequested: boolean;
  readonly historyEvents: number;
  readonly activities: readonly PendingActivity[];
  /** Something waits for the workflow's own code. */
  readonly task?: { readonly started: boolean; readonly attempt: number; readonly since?: Date };
  /** Whether a worker has asked for work of each kind lately, and when the last one did. */
  readonly polled: Readonly<Record<keyof typeof queueTypes, { readonly lately: boolean; readonly last?: Date }>>;
  /** Tasks that wait in the queue, as far as Temporal counts them. */
  readonly backlog: number;
}

export interface SessionInspector {
  /**
   * Undefined when Temporal knows no workflow of the session.
   * @throws DomainError TEMPORAL_UNAVAILABLE
   */
  inspect(sessionId: string, taskQueue: string): Promise<Inspection | undefined>;
}

export function createSessionInspector(link: TemporalLink, namespace: string): SessionInspector {
  return {
    async inspect(sessionId, taskQueue) {
      try {
        return await link.call(deadlineMs, async (client) => {
          const { raw, status } = await client.workflow.getHandle(workflowIdPrefix + sessionId).describe();
          const [workflow, activity] = await Promise.all([
            queueOf(client, namespace, taskQueue, "workflow"),
            queueOf(client, namespace, taskQueue, "activity"),
          ]);
          return {
            ...inspectionOf(raw),
            running: status.name === "RUNNING",
            polled: { workflow: workflow.polled, activity: activity.polled },
            backlog: workflow.backlog + activity.backlog,
          };
        });
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        if (error instanceof DomainError) throw error;
        if (!isGrpcServiceError(error) && !(error instanceof Error && isGrpcServiceError(error.cause))) throw error;
        throw new DomainError("TEMPORAL_UNAVAILABLE", "Temporal gave no answer in time.", { cause: error });
      }
    },
  };
}

type Described = Awaited<ReturnType<ReturnType<Client["workflow"]["getHandle"]>["describe"]>>["raw"];

function inspectionOf(raw: Described): Omit<Inspection, "running" | "polled" | "backlog"> {
  const { workflowExecutionInfo: info, workflowExtendedInfo: more, pendingWorkflowTask: task } = raw;
  const since = task && dateOf(task.originalScheduledTime ?? task.scheduledTime);
  return {
    cancelRequested: more?.cancelRequested === true,
    historyEvents: Number(info?.historyLength ?? 0),
    activities: (raw.pendingActivities ?? []).map(activityOf),
    ...(task && {
      task: {
        started: task.startedTime !== null && task.startedTime !== undefined,
        attempt: task.attempt ?? 1,
        ...(since && { since }),
      },
    }),
  };
}

function activityOf(pending: NonNullable<Described["pendingActivities"]>[number]): PendingActivity {
  const type = pending.lastFailure?.applicationFailureInfo?.type ?? "";
  const times = {
    scheduledAt: dateOf(pending.scheduledTime),
    startedAt: dateOf(pending.lastStartedTime),
    nextAttemptAt: dateOf(pending.nextAttemptScheduleTime),
  };
  return {
    activity: pending.activityType?.name ?? "",
    state: stateOf(pending.state ?? 0),
    attempt: pending.attempt ?? 1,
    ...(pending.maximumAttempts !== null &&
      pending.maximumAttempts !== undefined &&
      pending.maximumAttempts > 0 && { maxAttempts: pending.maximumAttempts }),
    ...(isErrorCode(type) && { lastFailure: type }),
    ...(times.scheduledAt && { scheduledAt: times.scheduledAt }),
    ...(times.startedAt && { startedAt: times.startedAt }),
    ...(times.nextAttemptAt && { nextAttemptAt: times.nextAttemptAt }),
  };
}

function stateOf(value: number): PendingActivity["state"] {
  for (const [known, name] of activityStates) if (known === value) return name;
  return "unknown";
}

async function queueOf(client: Client, namespace: string, name: string, type: keyof typeof queueTypes) {
  const { pollers, stats } = await client.connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name },
    taskQueueType: queueTypes[type],
    reportStats: true,
  });
  const times = (pollers ?? []).map(({ lastAccessTime }) => dateOf(lastAccessTime)?.getTime() ?? 0);
  const last = Math.max(0, ...times);
  return {
    polled: { lately: Date.now() - last < pollWithinMs, ...(last > 0 && { last: new Date(last) }) },
    backlog: Number(stats?.approximateBacklogCount ?? 0),
  };
}

function dateOf(time: Parameters<typeof tsToMs>[0]): Date | undefined {
  if (time === null || time === undefined) return undefined;
  const ms = tsToMs(time);
  return ms > 0 ? new Date(ms) : undefined;
}
