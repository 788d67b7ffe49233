import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  sleep,
} from "@temporalio/workflow";
import { stepEndingCodes, type ErrorCode } from "@soma/contracts/error-codes";
import type { SessionFailure, SessionWorkflowInput } from "@soma/contracts/session";
import { slmAudience } from "@soma/contracts/wire-names";
import type { SessionActivities, SessionEnd, SessionWorkflowResult } from "../activities/session-activities.ts";
import { failureOf, governedStep, patiently } from "./governed-step.ts";

/**
 * Long and far: heartbeats, one each three seconds, show a dead worker within eight, which with the longest pause before a
 * retry stays under the fifteen that another worker may take; a cancellation is waited for, so that what is recorded last is
 * what really happened.
 */
const effects = proxyActivities<SessionActivities>({
  startToCloseTimeout: "10m",
  scheduleToCloseTimeout: "30m",
  heartbeatTimeout: "8s",
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    initialInterval: "1s",
    backoffCoefficient: 1.5,
    maximumInterval: "5s",
    nonRetryableErrorTypes: stepEndingCodes(),
  },
});

/** The input names no session of this workflow's own, or one whose last event is written: there is nothing to record in. */
const hasNoLedger: ReadonlySet<ErrorCode> = new Set(["VALIDATION_FAILED", "SESSION_ID_TAKEN", "SESSION_ENDED"]);

const step = "completion-1";

/** The API carries a cancellation here right after it recorded it, or its caller does by asking again. */
const cancellationArrivesWithin = "1m";

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
      const failure = failureOf(error);
      if (!isCancellation(error) && hasNoLedger.has(failure.code)) throw endedBy(failure);
      if (failure.code === "SESSION_CANCELED") await cancellationArrives();
      // An attempt that fails while the session is being canceled is not followed by another: Temporal hands its failure
      // here as it is, and what ended the session is the cancellation all the same.
      if (isCancellation(error) || CancellationScope.current().consideredCancelled) {
        await this.#record({ status: "canceled", step });
        throw isCancellation(error) ? error : new CancelledFailure(failure.detail);
      }
      const canceled = failure.code === "SESSION_CANCELED";
      await this.#record(canceled ? { status: "canceled", step } : { status: "failed", error: failure, step });
      throw endedBy(failure);
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

  /** No cancellation reaches this: a workflow that ended without its last event would leave a session that never ends. */
  #record(end: SessionEnd): Promise<void> {
    const { tenant, session_id } = this.#session;
    return CancellationScope.nonCancellable(() =>
      patiently((activities) => activities["emit-audit-event"]({ tenant, session_id, end })),
    );
  }
}

/**
 * The request to cancel is in the ledger and stopped the step before it came here. It ends the workflow as soon as it is
 * here; should it have been lost on its way, the session ends all the same.
 */
async function cancellationArrives(): Promise<void> {
  try {
    await sleep(cancellationArrivesWithin);
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
}

function endedBy({ detail, code }: SessionFailure): ApplicationFailure {
  const ended = ApplicationFailure.nonRetryable(detail, code);
  // The stack names files of this machine, and everybody who may look at the workflow reads it.
  ended.stack = "";
  return ended;
}

/** `session-start-workflow`. */
export function sessionStartWorkflow(session: SessionWorkflowInput): Promise<SessionWorkflowResult> {
  return new SessionWorkflow(session).run();
}
