import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
} from "@temporalio/workflow";
import { nonRetryableCodes, type ErrorCode } from "@soma/contracts/error-codes";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import { slmAudience } from "@soma/contracts/wire-names";
import type { SessionActivities, SessionEnd, SessionWorkflowResult } from "../activities/session-activities.ts";
import { failureOf, governedStep, patiently } from "./governed-step.ts";

/**
 * Long and far: heartbeats show a dead worker within seconds, a cancellation is waited for, so that what is recorded
 * last is what really happened.
 */
const effects = proxyActivities<SessionActivities>({
  startToCloseTimeout: "10m",
  scheduleToCloseTimeout: "30m",
  heartbeatTimeout: "10s",
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    initialInterval: "1s",
    backoffCoefficient: 1.5,
    maximumInterval: "5s",
    nonRetryableErrorTypes: nonRetryableCodes(),
  },
});

/** The input names no session of this workflow's own, or one whose last event is written: there is nothing to record in. */
const hasNoLedger: ReadonlySet<ErrorCode> = new Set(["VALIDATION_FAILED", "SESSION_ID_TAKEN", "SESSION_ENDED"]);

const step = "completion-1";

/** A session that answers one prompt: the story of it, top to bottom. */
export class SessionWorkflow {
  readonly #session: SessionWorkflowInput;

  constructor(session: SessionWorkflowInput) {
    this.#session = session;
  }

  async run(): Promise<SessionWorkflowResult> {
    try {
      return await this.#answer();
    } catch (error) {
      if (isCancellation(error)) {
        await CancellationScope.nonCancellable(() => this.#record({ status: "canceled", step }));
        throw error;
      }
      const failure = failureOf(error);
      if (!hasNoLedger.has(failure.code)) await this.#record({ status: "failed", error: failure, step });
      const ended = ApplicationFailure.nonRetryable(failure.detail, failure.code);
      // The stack names files of this machine, and everybody who may look at the workflow reads it.
      ended.stack = "";
      throw ended;
    }
  }

  async #answer(): Promise<SessionWorkflowResult> {
    const { session_id, model } = this.#session;
    const outcome = await governedStep({
      session: this.#session,
      step,
      action: "model.complete",
      resource: `model:${model ?? "default"}`,
      audience: slmAudience,
      whenAway: "MODEL_UNAVAILABLE",
      effect: (permit, action, token) => effects["run-slm-completion"](permit, action, token),
    });
    const { decision } = outcome;
    if (outcome.kind === "denied") {
      const { error } = outcome;
      await this.#record({ status: "denied", error, step, decision });
      return { session_id, status: "denied", decision, error };
    }
    const { result } = outcome;
    const { jti, expires_at, scopes } = outcome.token;
    await this.#record({ status: "completed", result });
    return { session_id, status: "completed", decision, token: { jti, expires_at, scopes }, result };
  }

  #record(end: SessionEnd): Promise<void> {
    const { tenant, session_id } = this.#session;
    return patiently((activities) => activities["emit-audit-event"]({ tenant, session_id, end }));
  }
}

/** `session-start-workflow`. */
export function sessionStartWorkflow(session: SessionWorkflowInput): Promise<SessionWorkflowResult> {
  return new SessionWorkflow(session).run();
}
