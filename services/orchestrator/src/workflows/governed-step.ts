import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  TimeoutFailure,
} from "@temporalio/workflow";
import { isErrorCode, stepEndingCodes, type ErrorCode } from "@soma/contracts/error-codes";
import type { GovernedAction, Permit, SealedToken } from "@soma/contracts/permit";
import type { DecisionSummary, SessionFailure, SessionWorkflowInput } from "@soma/contracts/session";
import type {
  PolicyOutcome,
  SessionActivities,
  StepMemory,
  StepProposal,
  TurnTexts,
} from "../activities/session-activities.ts";

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
    nonRetryableErrorTypes: stepEndingCodes(),
  },
});

/** Calls an activity locally, and when what it needs is not there, again until it is. */
export async function patiently<Result>(call: (activities: SessionActivities) => Promise<Result>): Promise<Result> {
  try {
    return await call(local);
  } catch (error) {
    const code = failureCode(error);
    if (isCancellation(error) || (code !== undefined && stepEndingCodes().some((final) => final === code))) throw error;
    return call(patient);
  }
}

/** The step of a session that policy allowed and that ran, or that policy denied. */
export type StepOutcome<Result> =
  | { readonly kind: "done"; readonly decision: DecisionSummary; readonly token: SealedToken; readonly result: Result }
  | { readonly kind: "denied"; readonly decision: DecisionSummary; readonly error: SessionFailure };

/** What people say to an action that policy wants them to decide on. */
export type ApprovalVerdict = "granted" | "denied" | "expired";

/** What a step waits for beside the world: those who steer the session. */
export interface StepGate {
  /** Resolves when a step may begin: not while the session is paused. */
  mayBegin(): Promise<void>;
  /** Asks people to approve what was decided in this round of a step, and waits for them. */
  approval(step: string, round: number): Promise<ApprovalVerdict>;
  /** Waits for budget, where policy lets the step wait; false when the step ends for want of it. */
  budget(permit: Permit): Promise<boolean>;
}

interface GovernedStep<Result> extends Omit<StepProposal, "round"> {
  readonly session: SessionWorkflowInput;
  /** What it answers, where that is not the session's prompt. */
  readonly turn?: TurnTexts;
  /** What memory adds to its arguments. */
  readonly memory?: StepMemory;
  readonly gate: StepGate;
  /** The one service that the step's token is for. */
  readonly audience: string;
  /** What it is called when the effect's target stays away for good. */
  readonly whenAway: ErrorCode;
  /** The remote activity with the effect; it records intent and outcome around it. */
  readonly effect: (permit: Permit, action: GovernedAction, token: SealedToken) => Promise<Result>;
}

const notApproved = {
  denied: { code: "APPROVAL_DENIED", detail: "An approver denied the action." },
  expired: { code: "APPROVAL_EXPIRED", detail: "Nobody approved the action in time." },
} as const;

/** Bounds what a step may wait: each round is a permit that ran out while the effect's target was away. */
const maxRounds = 30;
/** A token that is refused once may have run out; one that is refused again and again will not get better. */
const maxRefusedTokens = 3;

/**
 * The only way in which a workflow does anything: decide (and, where policy wants it, people approve) → token → intent →
 * effect → outcome. Whatever waits longer than its permit holds is decided anew; nothing is ever done on an old decision.
 */
export async function governedStep<Result>(step: GovernedStep<Result>): Promise<StepOutcome<Result>> {
  const { effect, audience, whenAway, gate, ...proposal } = step;
  let refusedTokens = 0;
  for (let round = 1; round <= maxRounds; round += 1) {
    await gate.mayBegin();
    const outcome: PolicyOutcome = await patiently((activities) =>
      activities["evaluate-policy"]({ ...proposal, round }),
    );
    if ("denied" in outcome) return { kind: "denied", decision: outcome.decision, error: outcome.denied };
    if ("approvalNeeded" in outcome) {
      const verdict = await gate.approval(proposal.step, round);
      // Policy is asked again: what people allowed, it may have forbidden meanwhile.
      if (verdict === "granted") continue;
      return { kind: "denied", decision: outcome.decision, error: notApproved[verdict] };
    }
    const { permit, action, decision } = outcome;
    try {
      const token = await patiently((activities) => activities["issue-identity-token"](permit, action, audience));
      return { kind: "done", decision, token, result: await effect(permit, action, token) };
    } catch (error) {
      const code = failureCode(error);
      const refused = code === "MODEL_TOKEN_REFUSED" || code === "MEMORY_TOKEN_REFUSED";
      if (refused) refusedTokens += 1;
      const decidedAnew =
        (code === "BUDGET_EXCEEDED" && (await gate.budget(permit))) ||
        code === "PERMIT_EXPIRED" ||
        code === "SESSION_PAUSED" ||
        (refused && refusedTokens < maxRefusedTokens);
      if (!decidedAnew) throw error;
    }
  }
  throw ApplicationFailure.nonRetryable("What the step needs did not come back in time.", whenAway);
}

/** Our error code of a failure, if it has one: an activity's own, or that of its last attempt when time ran out. */
export function failureCode(error: unknown): string | undefined {
  const own = ownFailure(error);
  return own?.type ?? undefined;
}

/** A failure as the session shows it: a closed code and its public text. */
export function failureOf(error: unknown): SessionFailure {
  const own = ownFailure(error);
  if (own?.type && isErrorCode(own.type)) return { code: own.type, detail: own.message };
  return { code: "INTERNAL", detail: "The step did not end in time." };
}

function ownFailure(error: unknown): ApplicationFailure | undefined {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof ActivityFailure || error instanceof TimeoutFailure) return ownFailure(error.cause);
  return undefined;
}
