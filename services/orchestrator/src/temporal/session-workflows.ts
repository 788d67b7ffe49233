import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, isGrpcServiceError } from "@temporalio/client";
import { TypedSearchAttributes } from "@temporalio/common";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import { sessionWorkflowType, workflowIdPrefix } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { tenantIdAttribute } from "./search-attributes.ts";
import type { TemporalLink } from "./temporal-link.ts";

/** A caller waits on these: together with the ledger they stay under the 1.5 s that an answer may take. */
const deadlineMs = 1_200;

/** What the API does with session workflows. */
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
  };
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
