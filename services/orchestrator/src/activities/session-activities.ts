import type { TurnOutcome } from "@soma/contracts/audit";
import type { Reservation } from "@soma/contracts/budget";
import type { ErrorCode } from "@soma/contracts/error-codes";
import type { Digest } from "@soma/contracts/ids";
import type { OutOfBudget } from "@soma/contracts/policy";
import type { GovernedAction, Permit, SealedToken } from "@soma/contracts/permit";
import type {
  DecisionSummary,
  SessionFailure,
  SessionResult,
  SessionWorkflowInput,
  TokenSummary,
  Usage,
} from "@soma/contracts/session";
import type { BusyStrategy } from "@soma/contracts/session-action";

/** One step of a session before policy has decided on it. */
export interface StepProposal {
  /** Unique in the session; with tenant and session it makes the effect key. */
  readonly step: string;
  /** 1, and one more each time that policy must decide again because a permit expired while the step waited. */
  readonly round: number;
  /** e.g. `model.complete`; also the capability that the step's token carries. */
  readonly action: string;
  /** e.g. `model:default` */
  readonly resource: string;
}

/** What a turn of a conversation answers, by digest; the first turn's is the session's prompt and names nothing here. */
export interface TurnTexts {
  readonly message_digest: Digest;
  /** The conversation that it goes on from; absent while nothing was answered. */
  readonly base_hash?: Digest;
}

/** What memory adds to a step's arguments. */
export interface StepMemory {
  /** Of a completion: the passages that the model is given before the question. */
  readonly memory_digest?: Digest;
  /** Of remembering: the key, and the answer that is stored under it. */
  readonly key?: string;
  readonly result_digest?: Digest;
}

export interface EvaluatePolicyInput extends StepProposal {
  readonly session: SessionWorkflowInput;
  readonly turn?: TurnTexts;
  readonly memory?: StepMemory;
}

/** An allowing decision comes with a permit and the action that it is bound to, any other with the reason. */
export type PolicyOutcome =
  | { readonly permit: Permit; readonly action: GovernedAction; readonly decision: DecisionSummary }
  | { readonly denied: SessionFailure; readonly decision: DecisionSummary }
  /** Allowed once people have approved: {@link SessionActivities} `request-approval` asks them. */
  | { readonly approvalNeeded: true; readonly decision: DecisionSummary };

/** How a session ended; the last thing that its ledger is told. */
export type SessionEnd =
  | { readonly status: "completed"; readonly result: Pick<SessionResult, "text_digest" | "usage"> }
  | {
      readonly status: "denied";
      readonly error: SessionFailure;
      readonly step: string;
      readonly decision?: DecisionSummary;
    }
  | { readonly status: "failed"; readonly error: Pick<SessionFailure, "code">; readonly step?: string }
  | { readonly status: "canceled"; readonly step?: string }
  | { readonly status: "timed_out" };

/** A session that the ledger holds. */
export interface KnownSession {
  readonly tenant: string;
  readonly session_id: string;
}

export interface SessionEndInput extends KnownSession {
  readonly end: SessionEnd;
}

/** What an action that was decided has come to in the ledger. */
export type AppliedAction =
  | {
      readonly kind: "message";
      readonly action_id: string;
      readonly message_digest: Digest;
      readonly busy: BusyStrategy;
      readonly final: boolean;
      /** The turn that answers it: its place in line, by the ledger. */
      readonly turn: number;
    }
  | { readonly kind: "approval"; readonly approval_id: string; readonly verdict: "granted" | "denied" | "waiting" }
  | { readonly kind: "paused" | "resumed" | "retried" | "extended" };

export interface ApplyActionInput extends KnownSession {
  readonly action_id: string;
  /** Where the session is, for the event. */
  readonly step: string;
}

export interface ApprovalAsked {
  readonly approval_id: string;
  /** For how long it is waited for. */
  readonly expires_in_ms: number;
}

export interface CloseApprovalInput extends KnownSession {
  readonly approval_id: string;
  readonly because: "expired" | "interrupted" | "canceled";
}

export interface BeginTurnInput extends KnownSession {
  readonly turn: number;
}

/** The message that a turn answers. */
export interface BegunTurn {
  readonly action_id: string;
  readonly message_digest: Digest;
  readonly final: boolean;
}

export interface EndTurnInput extends KnownSession {
  readonly turn: number;
  /** The step that answered it, or tried to. */
  readonly step: string;
  readonly outcome: TurnOutcome;
  readonly code?: ErrorCode;
  readonly result_digest?: Digest;
  /** The conversation after the answer; after an interruption it is made here. */
  readonly base_hash?: Digest;
}

export interface SkipMemoryInput extends KnownSession {
  readonly step: string;
  readonly code: ErrorCode;
}

/** The passages that were found; none when nothing was near enough. */
export interface Recalled {
  readonly memory_digest?: Digest;
}

/** One answer of a conversation. */
export interface CompletionResult extends SessionResult {
  /** The conversation up to and with this answer; of interactive sessions. */
  readonly base_hash?: Digest;
}

/** What the workflow answers, in the words of `GET /v1/sessions/{id}`. */
export interface SessionWorkflowResult {
  readonly session_id: string;
  readonly status: "completed" | "denied";
  readonly decision?: DecisionSummary;
  readonly token?: TokenSummary;
  readonly result?: SessionResult;
  readonly error?: SessionFailure;
  /** Of an interactive session: how many turns it had, and what they used. */
  readonly turns?: number;
  readonly usage?: Usage;
}

/** A step that has no budget, in the words of its permit. */
export interface ExhaustedBudgetInput {
  readonly tenant: string;
  readonly session_id: string;
  readonly step: string;
  readonly round: number;
  readonly reserve: Reservation;
}

/** The activities by wire name; workflows import these types and nothing else of them. */
export interface SessionActivities {
  "evaluate-policy"(this: void, input: EvaluatePolicyInput): Promise<PolicyOutcome>;
  "issue-identity-token"(this: void, permit: Permit, action: GovernedAction, audience: string): Promise<SealedToken>;
  "run-slm-completion"(
    this: void,
    permit: Permit,
    action: GovernedAction,
    token: SealedToken,
  ): Promise<CompletionResult>;
  "record-exhausted-budget"(this: void, input: ExhaustedBudgetInput): Promise<OutOfBudget | "decide_anew">;
  "recall-memory"(this: void, permit: Permit, action: GovernedAction, token: SealedToken): Promise<Recalled>;
  "remember-turn"(this: void, permit: Permit, action: GovernedAction, token: SealedToken): Promise<void>;
  "skip-memory"(this: void, input: SkipMemoryInput): Promise<void>;
  "emit-audit-event"(this: void, input: SessionEndInput): Promise<void>;
  "apply-action"(this: void, input: ApplyActionInput): Promise<AppliedAction>;
  "request-approval"(
    this: void,
    input: KnownSession & { readonly step: string; readonly round: number },
  ): Promise<ApprovalAsked>;
  /** Answers whether the approval was granted before it could be closed. */
  "close-approval"(this: void, input: CloseApprovalInput): Promise<{ readonly granted: boolean }>;
  /** Begins the turn of the message that waits longest, by the ledger; nothing when none does. */
  "begin-turn"(this: void, input: BeginTurnInput): Promise<BegunTurn | undefined>;
  /** Answers the conversation that the next turn goes on from. */
  "end-turn"(this: void, input: EndTurnInput): Promise<{ readonly base_hash?: Digest }>;
}
