import { ApplicationFailure, CancelledFailure } from "@temporalio/activity";
import { stepEndingCodes } from "@soma/contracts/error-codes";
import { DomainError } from "@soma/kit/domain-error";
import type { ActivityDeps } from "./activity-deps.ts";
import { createApplyAction } from "./apply-action.ts";
import { createBeginTurn } from "./begin-turn.ts";
import { createCloseApproval } from "./close-approval.ts";
import { createEmitAuditEvent } from "./emit-audit-event.ts";
import { createEndTurn } from "./end-turn.ts";
import { createEvaluatePolicy } from "./evaluate-policy.ts";
import { createIssueIdentityToken } from "./issue-identity-token.ts";
import { createRecallMemory } from "./recall-memory.ts";
import { createRememberTurn } from "./remember-turn.ts";
import { createRequestApproval } from "./request-approval.ts";
import { createRecordExhaustedBudget } from "./record-exhausted-budget.ts";
import { createRunSlmCompletion } from "./run-slm-completion.ts";
import { createSkipMemory } from "./skip-memory.ts";
import type { SessionActivities } from "./session-activities.ts";

const endings: ReadonlySet<string> = new Set(stepEndingCodes());

/** Every activity by its wire name. A new one is a file, a line here, a line in a workflow and a test. */
export function createActivities(deps: ActivityDeps): SessionActivities {
  return {
    "evaluate-policy": translated(deps, "evaluate-policy", createEvaluatePolicy(deps)),
    "issue-identity-token": translated(deps, "issue-identity-token", createIssueIdentityToken(deps)),
    "run-slm-completion": translated(deps, "run-slm-completion", createRunSlmCompletion(deps)),
    "record-exhausted-budget": translated(deps, "record-exhausted-budget", createRecordExhaustedBudget(deps)),
    "emit-audit-event": translated(deps, "emit-audit-event", createEmitAuditEvent(deps)),
    "recall-memory": translated(deps, "recall-memory", createRecallMemory(deps)),
    "remember-turn": translated(deps, "remember-turn", createRememberTurn(deps)),
    "skip-memory": translated(deps, "skip-memory", createSkipMemory(deps)),
    "apply-action": translated(deps, "apply-action", createApplyAction(deps)),
    "request-approval": translated(deps, "request-approval", createRequestApproval(deps)),
    "close-approval": translated(deps, "close-approval", createCloseApproval(deps)),
    "begin-turn": translated(deps, "begin-turn", createBeginTurn(deps)),
    "end-turn": translated(deps, "end-turn", createEndTurn(deps)),
  };
}

/**
 * Gives Temporal our error codes as failure types, with the public text alone: causes and stacks would stand in the
 * history for all to read.
 */
function translated<Arguments extends unknown[], Result>(
  deps: ActivityDeps,
  name: string,
  activity: (...parameters: Arguments) => Promise<Result>,
): (...parameters: Arguments) => Promise<Result> {
  return async (...parameters) => {
    const end = deps.metrics.activitySeconds.startTimer({ activity: name });
    try {
      const result = await activity(...parameters);
      end({ outcome: "ok" });
      return result;
    } catch (error) {
      if (error instanceof CancelledFailure) {
        end({ outcome: "canceled" });
        throw error;
      }
      if (!(error instanceof DomainError)) deps.log.error({ err: error, step: name }, "an activity failed");
      const known = error instanceof DomainError ? error : new DomainError("INTERNAL", "The activity failed.");
      end({ outcome: known.code });
      const failure = ApplicationFailure.create({
        message: known.message,
        type: known.code,
        nonRetryable: endings.has(known.code),
      });
      failure.stack = "";
      throw failure;
    }
  };
}
