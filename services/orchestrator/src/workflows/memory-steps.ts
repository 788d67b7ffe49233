import { ActivityCancellationType, CancellationScope, isCancellation, proxyActivities } from "@temporalio/workflow";
import { isErrorCode, stepEndingCodes, type ErrorCode } from "@soma/contracts/error-codes";
import type { Digest } from "@soma/contracts/ids";
import type { Permit } from "@soma/contracts/permit";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import { memoryAudience } from "@soma/contracts/wire-names";
import type { SessionActivities, TurnTexts } from "../activities/session-activities.ts";
import { failureCode, governedStep, patiently, type StepGate } from "./governed-step.ts";

const common = {
  heartbeatTimeout: "8s",
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const;

/** Where policy says to go on without memory: a second try for what was lost on its way, and no wait. */
const brief = proxyActivities<SessionActivities>({
  ...common,
  startToCloseTimeout: "40s",
  scheduleToCloseTimeout: "90s",
  retry: { initialInterval: "500ms", maximumAttempts: 2, nonRetryableErrorTypes: stepEndingCodes() },
});

/** Where it says to wait: as long as for any dependency. */
const patient = proxyActivities<SessionActivities>({
  ...common,
  startToCloseTimeout: "40s",
  scheduleToCloseTimeout: "24h",
  retry: {
    initialInterval: "1s",
    backoffCoefficient: 1.5,
    maximumInterval: "5s",
    nonRetryableErrorTypes: stepEndingCodes(),
  },
});

/** One turn of a session with memory. */
export interface MemoryTurn {
  readonly session: SessionWorkflowInput;
  readonly texts: TurnTexts | undefined;
  readonly gate: StepGate;
  readonly turn: number;
  /** The step that answers the turn; those of memory are named after it. */
  readonly step: string;
  /** True when a later message has ended it. */
  readonly isInterrupted: () => boolean;
}

/** Failures of a step before the answer that are memory's own, or those of the right to it; others are the turn's. */
const withoutMemory: ReadonlySet<ErrorCode> = new Set([
  "IDENTITY_DENIED",
  "MEMORY_UNAVAILABLE",
  "MEMORY_BAD_RESPONSE",
  "MEMORY_REJECTED",
  "MEMORY_TOKEN_REFUSED",
  "BUDGET_EXCEEDED",
]);

/** Failures of a step after the answer that are the session's: nothing more may be written in it. */
const endsSession: ReadonlySet<ErrorCode> = new Set(["SESSION_CANCELED", "SESSION_ENDED", "SESSION_NOT_FOUND"]);

/**
 * What the user's memory has to the turn's question, by digest; undefined when that is nothing, or memory is away and
 * policy says to go on without it, which is recorded then.
 */
export async function recallStep(turn: MemoryTurn): Promise<Digest | undefined> {
  const step = turn.step.replace("completion", "recall");
  let waits = false;
  try {
    const outcome = await governedStep({
      ...stepOf(turn, step),
      action: "memory.recall",
      effect: (permit, action, token) => {
        waits = isToWait(permit);
        return (waits ? patient : brief)["recall-memory"](permit, action, token);
      },
    });
    if (outcome.kind === "done") return outcome.result.memory_digest;
    await skip(turn, step, outcome.error.code);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (isCancellation(error) || waits || !withoutMemory.has(code)) throw error;
    await skip(turn, step, code);
    return undefined;
  }
}

/** Remembers the turn with its answer. An answer that is there stays one, whatever becomes of this. */
export async function rememberStep(turn: MemoryTurn, resultDigest: Digest): Promise<void> {
  const step = turn.step.replace("completion", "remember");
  const key = `session:${turn.session.session_id}:turn:${String(turn.turn)}`;
  try {
    const outcome = await governedStep({
      ...stepOf(turn, step),
      action: "memory.remember",
      memory: { key, result_digest: resultDigest },
      effect: (permit, action, token) => (isToWait(permit) ? patient : brief)["remember-turn"](permit, action, token),
    });
    if (outcome.kind === "denied") await skip(turn, step, outcome.error.code);
  } catch (error) {
    if (isCancellation(error)) {
      // The message that interrupts comes after the answer, which stays one.
      if (!turn.isInterrupted()) throw error;
      await CancellationScope.nonCancellable(() => skip(turn, step, "TURN_INTERRUPTED"));
      return;
    }
    const code = codeOf(error);
    if (endsSession.has(code)) throw error;
    await skip(turn, step, code);
  }
}

function stepOf({ session, texts, gate }: MemoryTurn, step: string) {
  const { session_id, tenant, user } = session;
  return {
    session: texts === undefined ? session : { session_id, tenant, user },
    ...(texts && { turn: texts }),
    gate,
    step,
    resource: "memory:user",
    audience: memoryAudience,
    whenAway: "MEMORY_UNAVAILABLE",
  } as const;
}

function isToWait(permit: Permit): boolean {
  return permit.memory_unavailable === "wait";
}

function codeOf(error: unknown): ErrorCode {
  const code = failureCode(error);
  return code !== undefined && isErrorCode(code) ? code : "MEMORY_UNAVAILABLE";
}

function skip({ session }: MemoryTurn, step: string, code: ErrorCode): Promise<void> {
  const { tenant, session_id } = session;
  return patiently((activities) => activities["skip-memory"]({ tenant, session_id, step, code }));
}
