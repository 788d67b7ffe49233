import type { GovernedAction, Permit, SealedToken } from "@soma/contracts/permit";
import type {
  DecisionSummary,
  SessionFailure,
  SessionResult,
  SessionWorkflowInput,
  TokenSummary,
} from "@soma/contracts/session";

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

export interface EvaluatePolicyInput extends StepProposal {
  readonly session: SessionWorkflowInput;
}

/** An allowing decision comes with a permit and the action that it is bound to, any other with the reason. */
export type PolicyOutcome =
  | { readonly permit: Permit; readonly action: GovernedAction; readonly decision: DecisionSummary }
  | { readonly denied: SessionFailure; readonly decision: DecisionSummary };

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

export interface SessionEndInput {
  readonly tenant: string;
  readonly session_id: string;
  readonly end: SessionEnd;
}

/** What the workflow answers, in the words of `GET /v1/sessions/{id}`. */
export interface SessionWorkflowResult {
  readonly session_id: string;
  readonly status: "completed" | "denied";
  readonly decision: DecisionSummary;
  readonly token?: TokenSummary;
  readonly result?: SessionResult;
  readonly error?: SessionFailure;
}

/** The activities by wire name; workflows import these types and nothing else of them. */
export interface SessionActivities {
  "evaluate-policy"(this: void, input: EvaluatePolicyInput): Promise<PolicyOutcome>;
  "issue-identity-token"(this: void, permit: Permit, action: GovernedAction, audience: string): Promise<SealedToken>;
  "run-slm-completion"(this: void, permit: Permit, action: GovernedAction, token: SealedToken): Promise<SessionResult>;
  "emit-audit-event"(this: void, input: SessionEndInput): Promise<void>;
}
