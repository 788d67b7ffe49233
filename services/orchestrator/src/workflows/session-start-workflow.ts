import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  isCancellation,
  proxyActivities,
  sleep,
} from "@temporalio/workflow";
import { stepEndingCodes, type ErrorCode } from "@soma/contracts/error-codes";
import type { SessionFailure, SessionWorkflowInput } from "@soma/contracts/session";
import { slmAudience } from "@soma/contracts/wire-names";
import type {
  CompletionResult,
  SessionActivities,
  SessionEnd,
  SessionWorkflowResult,
  StepMemory,
  TurnTexts,
} from "../activities/session-activities.ts";
import { Conversation, type CarriedConversation } from "./conversation.ts";
import { failureOf, governedStep, patiently, type StepOutcome } from "./governed-step.ts";
import { recallStep, rememberStep, type MemoryTurn } from "./memory-steps.ts";
import { SessionSteering } from "./session-steering.ts";

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

const firstStep = "completion-1";

/** The API carries a cancellation here right after it recorded it, or its caller does by asking again. */
const cancellationArrivesWithin = "1m";

/** A session, from its prompt to its last event: the story of it, top to bottom. */
export class SessionWorkflow {
  readonly #session: SessionWorkflowInput;
  readonly #carried: CarriedConversation | undefined;
  readonly #steering: SessionSteering;

  constructor(session: SessionWorkflowInput, carried?: CarriedConversation) {
    this.#session = session;
    this.#carried = carried;
    const turn = carried?.turn ?? 1;
    this.#steering = new SessionSteering(
      session,
      { turn, step: carried === undefined ? firstStep : `completion-${String(turn)}` },
      carried?.steering,
    );
  }

  async run(): Promise<SessionWorkflowResult> {
    this.#steering.open();
    try {
      return await (this.#session.mode === "interactive" ? this.#converse() : this.#answerOnce());
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      const { step } = this.#steering;
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

  async #answerOnce(): Promise<SessionWorkflowResult> {
    const { session_id } = this.#session;
    const outcome = await this.#answer(firstStep, undefined);
    const { decision } = outcome;
    if (outcome.kind === "denied") {
      const { error } = outcome;
      await this.#record({ status: "denied", error, step: firstStep, decision });
      return { session_id, status: "denied", decision, error };
    }
    const { result } = outcome;
    const { jti, expires_at, scopes } = outcome.token;
    await this.#record({ status: "completed", result });
    return { session_id, status: "completed", decision, token: { jti, expires_at, scopes }, result };
  }

  async #converse(): Promise<SessionWorkflowResult> {
    const { session_id } = this.#session;
    const conversation = new Conversation(
      {
        session: this.#session,
        steering: this.#steering,
        answer: (step, texts) => this.#answer(step, texts),
      },
      this.#carried,
    );
    const end = await conversation.run();
    await this.#record(end);
    const { turns, usage } = conversation;
    if (end.status === "failed") throw endedBy({ code: end.error.code, detail: "No turn was answered." });
    return { session_id, status: end.status === "denied" ? "denied" : "completed", turns, usage };
  }

  /** One turn: what memory has to it, the answer, and memory of the answer. */
  async #answer(step: string, texts: TurnTexts | undefined): Promise<StepOutcome<CompletionResult>> {
    const memory: MemoryTurn | undefined = this.#session.memory === true ? this.#memoryTurn(step, texts) : undefined;
    const memory_digest = memory && (await recallStep(memory));
    const outcome = await this.#complete(step, texts, memory_digest === undefined ? {} : { memory: { memory_digest } });
    if (memory !== undefined && outcome.kind === "done") await rememberStep(memory, outcome.result.text_digest);
    return outcome;
  }

  #memoryTurn(step: string, texts: TurnTexts | undefined): MemoryTurn {
    const steering = this.#steering;
    const isInterrupted = (): boolean => steering.interruption !== undefined;
    return { session: this.#session, texts, gate: steering, turn: steering.turn, step, isInterrupted };
  }

  #complete(
    step: string,
    texts: TurnTexts | undefined,
    recalled: { readonly memory?: StepMemory },
  ): Promise<StepOutcome<CompletionResult>> {
    const { session_id, tenant, user, model } = this.#session;
    return governedStep({
      ...recalled,
      // The prompt goes along with the turn that answers it, and with no other.
      session: texts === undefined ? this.#session : { session_id, tenant, user },
      ...(texts && { turn: texts }),
      gate: this.#steering,
      step,
      action: "model.complete",
      resource: `model:${model ?? "default"}`,
      audience: slmAudience,
      whenAway: "MODEL_UNAVAILABLE",
      effect: (permit, action, token) => effects["run-slm-completion"](permit, action, token),
    });
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

/** `session-start-workflow`. The second argument is its own: what a conversation that continues as new takes along. */
export function sessionStartWorkflow(
  session: SessionWorkflowInput,
  carried?: CarriedConversation,
): Promise<SessionWorkflowResult> {
  return new SessionWorkflow(session, carried).run();
}
