import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from "@temporalio/workflow";
import type { TurnOutcome } from "@soma/contracts/audit";
import type { ErrorCode } from "@soma/contracts/error-codes";
import type { Digest } from "@soma/contracts/ids";
import type { SessionFailure, SessionWorkflowInput, Usage } from "@soma/contracts/session";
import type { CompletionResult, SessionEnd, TurnTexts } from "../activities/session-activities.ts";
import { failureOf, patiently, type StepOutcome } from "./governed-step.ts";
import type { SessionSteering, SteeringState } from "./session-steering.ts";

/** What a conversation takes along when it continues as new: numbers and digests, however long it has become. */
export interface CarriedConversation {
  readonly turn: number;
  readonly steering: SteeringState;
  readonly usage: Usage;
  readonly final: boolean;
  readonly base_hash?: Digest;
  readonly answer?: Digest;
  /** How the last turn ended, when it has no answer. */
  readonly failure?: { readonly outcome: TurnOutcome; readonly error: SessionFailure; readonly step: string };
  /** What the last turn asked, for `retry`. */
  readonly texts?: TurnTexts;
  readonly retries: number;
}

/** What a conversation needs of its session. */
interface ConversationParts {
  readonly session: SessionWorkflowInput;
  readonly steering: SessionSteering;
  /** Answers one turn; the story of a step. */
  readonly answer: (step: string, texts: TurnTexts | undefined) => Promise<StepOutcome<CompletionResult>>;
}

/** Failures of a step that are the session's: nothing more can be done in its name. */
const endsSession: ReadonlySet<ErrorCode> = new Set([
  "VALIDATION_FAILED",
  "SESSION_ID_TAKEN",
  "SESSION_ENDED",
  "SESSION_CANCELED",
  "SESSION_NOT_FOUND",
  "ACCESS_REVOKED",
  "CONTENT_ERASED",
]);

/** Where a day's conversation has come to some thousand events, it goes on in a new history. */
const maxHistoryEvents = 4_000;

/** A session that stays open: turn after turn, each a governed step, until nobody has anything more to say. */
export class Conversation {
  readonly #parts: ConversationParts;
  #state: CarriedConversation;

  constructor(parts: ConversationParts, carried: CarriedConversation | undefined) {
    this.#parts = parts;
    this.#state = carried ?? {
      turn: 0,
      steering: parts.steering.state,
      usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
      final: false,
      retries: 0,
    };
  }

  get turns(): number {
    return this.#state.turn;
  }

  get usage(): Usage {
    return this.#state.usage;
  }

  /** Resolves with the session's end. Rejects with what ends it otherwise. */
  async run(): Promise<SessionEnd> {
    if (this.#state.turn === 0) await this.#turn({ turn: 1, step: "completion-1", texts: undefined });
    while (await this.#somebodySpeaks()) {
      const { steering } = this.#parts;
      if (steering.retryAsked) await this.#again();
      else await this.#next();
    }
    return this.#end();
  }

  /** False when the session is over: after a final message, or after its time without any. */
  async #somebodySpeaks(): Promise<boolean> {
    const { session, steering } = this.#parts;
    const wanted = (): boolean => !steering.isPaused && (steering.retryAsked || steering.waiting.length > 0);
    for (;;) {
      if (this.#state.final && !wanted() && steering.waiting.length === 0) return false;
      steering.idle = true;
      await this.#startAfresh();
      if (steering.isPaused) await condition(() => !steering.isPaused);
      if (await condition(wanted, (session.idle_seconds ?? 86_400) * 1_000)) return true;
      if (!steering.isPaused) return false;
    }
  }

  /** Between turns, and with no action half done: history stays bounded, however long the conversation is. */
  async #startAfresh(): Promise<void> {
    const { session, steering } = this.#parts;
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if (!continueAsNewSuggested && historyLength < maxHistoryEvents) return;
    await condition(allHandlersFinished);
    if (steering.retryAsked) return;
    await continueAsNew<(session: SessionWorkflowInput, carried: CarriedConversation) => Promise<unknown>>(session, {
      ...this.#state,
      steering: steering.state,
    });
  }

  async #next(): Promise<void> {
    const { session, steering } = this.#parts;
    const turn = this.#state.turn + 1;
    const { tenant, session_id } = session;
    const message = await patiently((activities) => activities["begin-turn"]({ tenant, session_id, turn }));
    steering.began(turn);
    // What was said to wait does, or the ledger would not have said so: this only keeps a loop from turning without end.
    if (message === undefined) return;
    const { message_digest, final } = message;
    this.#state = { ...this.#state, final, retries: 0 };
    const texts = { message_digest, ...this.#base() };
    await this.#turn({ turn, step: `completion-${String(turn)}`, texts });
  }

  /** The failed step alone, as another step: what it was before has its outcome, and stays. */
  async #again(): Promise<void> {
    const { steering } = this.#parts;
    steering.retryAsked = false;
    const { turn, texts, retries } = this.#state;
    this.#state = { ...this.#state, retries: retries + 1 };
    await this.#turn({ turn, step: `completion-${String(turn)}.retry-${String(retries + 1)}`, texts });
  }

  async #turn({ turn, step, texts }: { turn: number; step: string; texts: TurnTexts | undefined }): Promise<void> {
    const { steering } = this.#parts;
    steering.idle = false;
    steering.failedTurn = false;
    steering.turn = turn;
    steering.step = step;
    const scope = new CancellationScope();
    steering.turnScope = scope;
    this.#state = { ...this.#state, turn, ...(texts && { texts }) };
    let ended: TurnEnd;
    try {
      ended = endOf(await scope.run(() => this.#parts.answer(step, texts)));
    } catch (error) {
      ended = this.#failed(error);
    } finally {
      steering.turnScope = undefined;
      steering.interruption = undefined;
    }
    await this.#record(step, ended);
  }

  /** @throws the error itself where it ends the session */
  #failed(error: unknown): TurnEnd {
    const { interruption } = this.#parts.steering;
    if (CancellationScope.current().consideredCancelled) throw error;
    if (interruption !== undefined) {
      const detail = "The turn was interrupted by a later message.";
      return { outcome: interruption, error: { code: "TURN_INTERRUPTED", detail } };
    }
    if (isCancellation(error)) throw error;
    const failure = failureOf(error);
    if (endsSession.has(failure.code)) throw error;
    return { outcome: "failed", error: failure };
  }

  async #record(step: string, { outcome, error, result }: TurnEnd): Promise<void> {
    const { session, steering } = this.#parts;
    const { tenant, session_id } = session;
    const { turn } = this.#state;
    const { base_hash } = await patiently((activities) =>
      activities["end-turn"]({
        tenant,
        session_id,
        turn,
        step,
        outcome,
        ...(error && { code: error.code }),
        ...(result && { result_digest: result.text_digest }),
        ...(result?.base_hash !== undefined ? { base_hash: result.base_hash } : this.#base()),
      }),
    );
    steering.failedTurn = outcome === "failed";
    const { failure: _before, ...state } = this.#state;
    this.#state = {
      ...state,
      ...(base_hash !== undefined && { base_hash }),
      ...(result && { answer: result.text_digest, usage: sum(state.usage, result.usage) }),
      ...(error && { failure: { outcome, error, step } }),
    };
  }

  #base(): { base_hash?: Digest } {
    const { base_hash } = this.#state;
    return base_hash === undefined ? {} : { base_hash };
  }

  /** As the last answer leaves it; a conversation that never had one ends as its last turn did. */
  #end(): SessionEnd {
    const { answer, usage, failure } = this.#state;
    if (answer !== undefined) return { status: "completed", result: { text_digest: answer, usage } };
    const { outcome, error, step } = failure ?? noAnswer;
    return outcome === "denied" ? { status: "denied", error, step } : { status: "failed", error, step };
  }
}

interface TurnEnd {
  readonly outcome: TurnOutcome;
  readonly error?: SessionFailure;
  readonly result?: CompletionResult;
}

function endOf(outcome: StepOutcome<CompletionResult>): TurnEnd {
  return outcome.kind === "denied"
    ? { outcome: "denied", error: outcome.error }
    : { outcome: "answered", result: outcome.result };
}

function sum(usage: Usage, more: Usage): Usage {
  return {
    prompt_tokens: usage.prompt_tokens + more.prompt_tokens,
    completion_tokens: usage.completion_tokens + more.completion_tokens,
    total_tokens: usage.total_tokens + more.total_tokens,
  };
}

const noAnswer = {
  outcome: "failed",
  error: { code: "TURN_INTERRUPTED", detail: "No turn was answered." },
  step: "completion-1",
} as const;
