import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
} from "@temporalio/workflow";
import { isErrorCode, nonRetryableCodes, type ErrorCode } from "@soma/contracts/error-codes";
import type { GovernedAction, Permit, SealedToken } from "@soma/contracts/permit";
import type { DecisionSummary, SessionFailure, SessionWorkflowInput } from "@soma/contracts/session";
import type { PolicyOutcome, SessionActivities, StepProposal } from "../activities/session-activities.ts";

/** First try, in the workflow task itself: no round trip to the server, no wait. */
const local = proxyLocalActivities<SessionActivities>({ startToCloseTimeout: "5s", retry: { maximumAttempts: 1 } });

/**
 * Every further try, by Temporal's own retries: they cost no history and no worker while they wait, and are seen in
 * `temporal workflow describe`. A dependency that stays away for a day ends the session.
 */
const patient = proxyActivities<SessionActivities>({
  startToCloseTimeout: "5s",
  scheduleToCloseTimeout: "24h",
  retry: {
    initialInterval: "1s",
    backoffCoefficient: 1.5,
    maximumInterval: "5s",
    nonRetryableErrorTypes: nonRetryableCodes(),
  },
});

/** Calls an activity locally, and when what it needs is not there, again until it is. */
export async function patiently<Result>(call: (activities: SessionActivities) => Promise<Result>): Promise<Result> {
  try {
    return await call(local);
  } catch (error) {
    const code = failureCode(error);
    if (isCancellation(error) || (code !== undefined && nonRetryableCodes().some((final) => final === code)))
      throw error;
    return call(patient);
  }
}

/** The step of a session that policy allowed and that ran, or that policy denied. */
export type StepOutcome<Result> =
  | { readonly kind: "done"; readonly decision: DecisionSummary; readonly token: SealedToken; readonly result: Result }
  | { readonly kind: "denied"; readonly decision: DecisionSummary; readonly error: SessionFailure };

interface GovernedStep<Result> extends Omit<StepProposal, "round"> {
  readonly session: SessionWorkflowInput;
  /** The one service that the step's token is for. */
  readonly audience: string;
  /** The remote activity with the effect; it records intent and outcome around it. */
  readonly effect: (permit: Permit, action: GovernedAction, token: SealedToken) => Promise<Result>;
}

/** Bounds what a step may wait: each round is a permit that ran out while a dependency was away. */
const maxRounds = 30;

/**
 * The only way in which a workflow does anything: decide → token → intent → effect → outcome. Whatever waits longer
 * than its permit holds is decided anew; nothing is ever done on an old decision.
 */
export async function governedStep<Result>(step: GovernedStep<Result>): Promise<StepOutcome<Result>> {
  const { effect, audience, ...proposal } = step;
  for (let round = 1; ; round += 1) {
    const outcome: PolicyOutcome = await patiently((activities) =>
      activities["evaluate-policy"]({ ...proposal, round }),
    );
    if ("denied" in outcome) return { kind: "denied", decision: outcome.decision, error: outcome.denied };
    const { permit, action, decision } = outcome;
    try {
      const token = await patiently((activities) => activities["issue-identity-token"](permit, action, audience));
      return { kind: "done", decision, token, result: await effect(permit, action, token) };
    } catch (error) {
      if (failureCode(error) !== "PERMIT_EXPIRED" || round >= maxRounds) throw error;
    }
  }
}

/** Our error code of a failed activity, if it has one. */
export function failureCode(error: unknown): string | undefined {
  if (error instanceof ActivityFailure) return failureCode(error.cause);
  return error instanceof ApplicationFailure ? (error.type ?? undefined) : undefined;
}

/** A failure as the session shows it: a closed code and its public text. */
export function failureOf(error: unknown, otherwise: ErrorCode): SessionFailure {
  const code = failureCode(error);
  const known =
    error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause.message : undefined;
  return {
    code: code !== undefined && isErrorCode(code) ? code : otherwise,
    detail: known ?? "The step did not end in time.",
  };
}
