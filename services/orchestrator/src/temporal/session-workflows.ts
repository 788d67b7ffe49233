import {
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowHandle,
} from "@temporalio/client";
import { ApplicationFailure, TypedSearchAttributes } from "@temporalio/common";
import { isErrorCode, type ErrorCode } from "@soma/contracts/error-codes";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import { sessionActionUpdate, sessionWorkflowType, workflowIdPrefix } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { ActionCall, ActionOutcome } from "../workflows/session-steering.ts";
import { tenantIdAttribute } from "./search-attributes.ts";
import type { TemporalLink } from "./temporal-link.ts";

/** A caller waits on these: together with the ledger they stay under the 1.5 s that an answer may take. */
const deadlineMs = 1_200;
/** An action is carried out by a worker: one that takes over from a dead one needs some seconds. */
const actionDeadlineMs = 10_000;

/** What Temporal knows of a session's workflow. */
export type WorkflowState =
  | { readonly status: "completed" | "canceled" | "terminated" | "timed_out"; readonly runId: string }
  | { readonly status: "running"; readonly runId: string; readonly cancelRequested: boolean }
  | { readonly status: "failed"; readonly runId: string; readonly code: ErrorCode };

/** What the API and the reconciler do with session workflows. */
export interface SessionWorkflows {
  /**
   * Starts a session's workflow; its id makes it happen at most once.
   * @returns the run id, and whether this call started it
   * @throws DomainError TEMPORAL_UNAVAILABLE: it may have started or not, and calling again is safe
   */
  start(input: SessionWorkflowInput): Promise<{ runId: string; started: boolean }>;
  /**
   * Asks the workflow to end; resolves when Temporal has taken it, with false when there is none that runs.
   * @throws DomainError TEMPORAL_UNAVAILABLE
   */
  cancel(sessionId: string): Promise<boolean>;
  /**
   * Carries an action to the session and waits for what came of it. The action's id makes it happen at most once.
   * @throws DomainError with the code that the session refuses it with; ACTION_NOT_ALLOWED when it does not run any
   * more; TEMPORAL_UNAVAILABLE: it may have happened or not, and calling again is safe
   */
  act(sessionId: string, call: ActionCall): Promise<ActionOutcome>;
  /**
   * Ends the workflow without its doing anything more; resolves also when there is none that runs.
   * @throws DomainError TEMPORAL_UNAVAILABLE
   */
  terminate(sessionId: string): Promise<void>;
  /**
   * How the workflow is; undefined when Temporal knows none of this id.
   * @throws DomainError TEMPORAL_UNAVAILABLE
   */
  describe(sessionId: string): Promise<WorkflowState | undefined>;
}

/** `eager`: a worker in this process shares the connection, so that the first workflow task needs no round trip. */
export function createSessionWorkflows(link: TemporalLink, taskQueue: string, eager: boolean): SessionWorkflows {
  return {
    async start(input) {
      const workflowId = workflowIdPrefix + input.session_id;
      try {
        const handle = await link.call(deadlineMs, (client) =>
          client.workflow.start(sessionWorkflowType, {
            workflowId,
            taskQueue,
            args: [input],
            requestEagerStart: eager,
            workflowIdReusePolicy: "REJECT_DUPLICATE",
            workflowIdConflictPolicy: "FAIL",
            typedSearchAttributes: new TypedSearchAttributes([{ key: tenantIdAttribute, value: input.tenant }]),
          }),
        );
        return { runId: handle.firstExecutionRunId, started: true };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw translate(error);
      }
      const description = await link
        .call(deadlineMs, (client) => client.workflow.getHandle(workflowId).describe())
        .catch((error: unknown) => {
          throw translate(error);
        });
      return { runId: description.runId, started: false };
    },
    async cancel(sessionId) {
      try {
        await link.call(deadlineMs, (client) => client.workflow.getHandle(workflowIdPrefix + sessionId).cancel());
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw translate(error);
      }
    },
    async act(sessionId, call) {
      try {
        return await link.call(actionDeadlineMs, (client) =>
          client.workflow
            .getHandle(workflowIdPrefix + sessionId)
            .executeUpdate<ActionOutcome, [ActionCall]>(sessionActionUpdate, {
              args: [call],
              updateId: call.action_id,
            }),
        );
      } catch (error) {
        throw refusalOf(error) ?? translate(error);
      }
    },
    async terminate(sessionId) {
      try {
        await link.call(deadlineMs, (client) =>
          client.workflow.getHandle(workflowIdPrefix + sessionId).terminate("terminated by an action"),
        );
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw translate(error);
      }
    },
    async describe(sessionId) {
      try {
        return await link.call(deadlineMs, (client) => stateOf(client, workflowIdPrefix + sessionId));
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw translate(error);
      }
    },
  };
}

const closedStatuses = new Map<string, "completed" | "canceled" | "terminated" | "timed_out">([
  ["COMPLETED", "completed"],
  ["CANCELLED", "canceled"],
  ["TERMINATED", "terminated"],
  ["TIMED_OUT", "timed_out"],
]);

async function stateOf(client: Client, workflowId: string): Promise<WorkflowState> {
  const handle = client.workflow.getHandle(workflowId);
  const { status, runId, raw } = await handle.describe();
  if (status.name === "FAILED") return { status: "failed", runId, code: await failureCodeOf(handle) };
  const closed = closedStatuses.get(status.name);
  if (closed !== undefined) return { status: closed, runId };
  return { status: "running", runId, cancelRequested: raw.workflowExtendedInfo?.cancelRequested === true };
}

/** The code that a workflow which has failed gave as the type of its failure. */
async function failureCodeOf(handle: WorkflowHandle): Promise<ErrorCode> {
  try {
    await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const type = error.cause instanceof ApplicationFailure ? (error.cause.type ?? "") : "";
    if (isErrorCode(type)) return type;
  }
  return "INTERNAL";
}

/** What the session itself says to an action, or that there is none to say anything. */
function refusalOf(error: unknown): DomainError | undefined {
  if (error instanceof WorkflowNotFoundError)
    return new DomainError("ACTION_NOT_ALLOWED", "The session does not run any more; no action is possible.");
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return new DomainError(
      "TEMPORAL_UNAVAILABLE",
      "No worker has taken the action yet; send it again with the same Idempotency-Key. Operators: see the session's diagnosis.",
      { cause: error },
    );
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  const code = cause instanceof ApplicationFailure ? (cause.type ?? "") : "";
  if (isErrorCode(code)) return new DomainError(code, cause?.message ?? "", { cause: error });
  return new DomainError("ACTION_NOT_ALLOWED", "The session ended before the action came to it.", { cause: error });
}

function translate(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  const isTemporal = isGrpcServiceError(error) || (error instanceof Error && isGrpcServiceError(error.cause));
  if (!isTemporal) return error;
  return new DomainError(
    "TEMPORAL_UNAVAILABLE",
    "Temporal gave no answer in time; try again with the same session id or Idempotency-Key.",
    { cause: error },
  );
}
