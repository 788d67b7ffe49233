import { Type } from "typebox";
import { Budget, BudgetView } from "./budget.ts";
import { ErrorCodeSchema } from "./problem.ts";
import { DigestSchema, SessionIdSchema, TenantIdSchema, UserIdSchema } from "./ids.ts";
import { severities, type Severity } from "./policy.ts";
import { AcceptedAction, OpenApproval } from "./session-action.ts";
import { dependencies, type Dependency } from "./wire-names.ts";

export const sessionStatuses = [
  "starting",
  "running",
  "waiting_input",
  "waiting_approval",
  "waiting_budget",
  "paused",
  "completed",
  "denied",
  "failed",
  "canceled",
  "timed_out",
] as const;
export type SessionStatus = (typeof sessionStatuses)[number];
export const SessionStatusSchema = Type.Unsafe<SessionStatus>(Type.String({ enum: sessionStatuses }));

/** Statuses that no session leaves. */
export const terminalStatuses = [
  "completed",
  "denied",
  "failed",
  "canceled",
  "timed_out",
] as const satisfies readonly SessionStatus[];

export function isTerminal(status: SessionStatus): boolean {
  return terminalStatuses.some((terminal) => terminal === status);
}

/** Bounds of a start request. */
export const startLimits = {
  bodyBytes: 262_144,
  promptBytes: 102_400,
  metadataBytes: 16_384,
  metadataKeys: 64,
  depth: 8,
  labels: 16,
  messages: 64,
} as const;

/** Who speaks in a message. */
export const messageRoles = ["system", "developer", "user", "assistant"] as const;
export type MessageRole = (typeof messageRoles)[number];

export const ChatMessage = Type.Object(
  {
    role: Type.Unsafe<MessageRole>(Type.String({ enum: messageRoles })),
    content: Type.String({ maxLength: 102_400 }),
  },
  { additionalProperties: false },
);
export type ChatMessage = Type.Static<typeof ChatMessage>;

/** How the model chooses its words; what is left out is the model service's default. */
export const Sampling = Type.Object(
  {
    max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
    top_p: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_294 })),
    stop: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 4 })),
  },
  { additionalProperties: false },
);
export type Sampling = Type.Static<typeof Sampling>;

/** What a prompt of the format `chat` is; its text in the ledger is the RFC 8785 canonical JSON of this. */
export const ChatPrompt = Type.Object(
  {
    messages: Type.Array(ChatMessage, {
      minItems: 1,
      maxItems: startLimits.messages,
      description: "Instead of `prompt`: a conversation, at most 100 KiB in all as canonical JSON with its sampling",
    }),
    sampling: Type.Optional(Sampling),
  },
  { additionalProperties: false },
);
export type ChatPrompt = Type.Static<typeof ChatPrompt>;

/** Whether a session ends with its answer or stays open. */
export const sessionModes = ["task", "interactive"] as const;
export type SessionMode = (typeof sessionModes)[number];
/** For how long an interactive session waits for a message unless its start says otherwise. */
export const defaultIdleSeconds = 86_400;

/** The body of `POST /v1/sessions` and `POST /v1/sessions/start`. `tenant` and `user` may be left out when a token names them. */
export const StartSessionRequest = Type.Object(
  {
    tenant: Type.Optional(TenantIdSchema),
    tenant_id: Type.Optional(TenantIdSchema),
    user: Type.Optional(UserIdSchema),
    user_id: Type.Optional(UserIdSchema),
    prompt: Type.Optional(
      Type.String({ minLength: 1, maxLength: 102_400, description: "At most 100 KiB; this or `messages` is required" }),
    ),
    messages: Type.Optional(ChatPrompt.properties.messages),
    sampling: Type.Optional(
      Type.Object(Sampling.properties, { additionalProperties: false, description: "With `messages` only" }),
    ),
    model: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9][A-Za-z0-9._/:-]{0,127}$",
        description: "A model of the model service; its default if left out",
      }),
    ),
    mode: Type.Optional(
      Type.Unsafe<SessionMode>(
        Type.String({
          enum: sessionModes,
          description: "interactive: stays open for messages; task, unless given: ends with its answer",
        }),
      ),
    ),
    idle_seconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2_592_000,
        description: "An interactive session completes after so long without a message; a day unless given",
      }),
    ),
    budget: Type.Optional(Budget),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          "At most 16 KiB, 64 keys, depth 8. session_id, labels and capsule have a meaning; the rest is yours.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type StartSessionRequest = Type.Static<typeof StartSessionRequest>;

/** Input of the workflow, as a Temporal client in any language sends it. Never holds a token. */
export interface SessionWorkflowInput {
  session_id: string;
  tenant: string;
  user: string;
  /** This or `messages`. */
  prompt?: string;
  messages?: ChatMessage[];
  sampling?: Sampling;
  model?: string;
  mode?: SessionMode;
  idle_seconds?: number;
  budget?: Budget;
  /** Recalls before each answer and remembers after it; the API sets it where a memory gateway is configured. */
  memory?: boolean;
  metadata?: Record<string, unknown>;
}

export const StartSessionAccepted = Type.Object(
  {
    session_id: SessionIdSchema,
    workflow_id: Type.String(),
    run_id: Type.String(),
    task_queue: Type.String(),
    status: SessionStatusSchema,
  },
  { additionalProperties: false },
);
export type StartSessionAccepted = Type.Static<typeof StartSessionAccepted>;

export const Usage = Type.Object(
  {
    prompt_tokens: Type.Integer({ minimum: 0 }),
    completion_tokens: Type.Integer({ minimum: 0 }),
    total_tokens: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type Usage = Type.Static<typeof Usage>;

export const SessionResult = Type.Object(
  { text: Type.String(), text_digest: DigestSchema, model: Type.String(), finish_reason: Type.String(), usage: Usage },
  { additionalProperties: false },
);
export type SessionResult = Type.Static<typeof SessionResult>;

export const DecisionSummary = Type.Object(
  {
    decision_id: Type.String(),
    allowed: Type.Boolean(),
    score: Type.Number(),
    severity: Type.Unsafe<Severity>(Type.String({ enum: severities })),
    reasons: Type.Array(Type.String()),
    policy_version: Type.String(),
  },
  { additionalProperties: false },
);
export type DecisionSummary = Type.Static<typeof DecisionSummary>;

/** What is shown of a step's token: never the token. */
export const TokenSummary = Type.Object(
  { jti: Type.String(), expires_at: Type.String(), scopes: Type.Array(Type.String()) },
  { additionalProperties: false },
);
export type TokenSummary = Type.Static<typeof TokenSummary>;

export const SessionFailure = Type.Object(
  { code: ErrorCodeSchema, detail: Type.String() },
  { additionalProperties: false },
);
export type SessionFailure = Type.Static<typeof SessionFailure>;

/** What `POST /v1/sessions/{id}/actions/{action}` can do. */
export const sessionActions = [
  "message",
  "approve",
  "deny",
  "pause",
  "resume",
  "cancel",
  "terminate",
  "retry",
  "extend-budget",
] as const;
export type SessionAction = (typeof sessionActions)[number];

/** Why the texts of a session are gone. */
export const textsGone = ["erased", "retention"] as const;
export type TextsGone = (typeof textsGone)[number];

export const SessionView = Type.Object(
  {
    session_id: SessionIdSchema,
    workflow_id: Type.String(),
    run_id: Type.Optional(Type.String()),
    task_queue: Type.String(),
    tenant: TenantIdSchema,
    user: UserIdSchema,
    status: SessionStatusSchema,
    blocked_on: Type.Optional(
      Type.Unsafe<Dependency>(
        Type.String({ enum: dependencies, description: "What is down while the session waits for it" }),
      ),
    ),
    blocked_code: Type.Optional(ErrorCodeSchema),
    model: Type.Optional(Type.String()),
    labels: Type.Array(Type.String()),
    capsule: Type.Optional(Type.String()),
    created_at: Type.String({ description: "RFC 3339, UTC" }),
    updated_at: Type.String({ description: "RFC 3339, UTC" }),
    last_seq: Type.Integer({ minimum: 1, description: "Position of the newest event in the session's ledger" }),
    decision: Type.Optional(DecisionSummary),
    token: Type.Optional(TokenSummary),
    result: Type.Optional(SessionResult),
    texts_gone: Type.Optional(
      Type.Unsafe<TextsGone>(
        Type.String({
          enum: textsGone,
          description: "Why a text of the session is not there: its user's texts were erased, or their time was over",
        }),
      ),
    ),
    error: Type.Optional(SessionFailure),
    mode: Type.Optional(Type.Unsafe<SessionMode>(Type.String({ enum: sessionModes }))),
    turn: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          "Of an interactive session: the turn under way, the next one once its message is there, or the last one",
      }),
    ),
    turn_failure: Type.Optional(
      Type.Unsafe<SessionFailure>({ ...SessionFailure, description: "Why the last turn has no answer" }),
    ),
    messages_waiting: Type.Optional(
      Type.Integer({ minimum: 0, description: "Received, and their turns have not begun" }),
    ),
    approvals: Type.Optional(Type.Array(OpenApproval, { description: "What waits for people" })),
    budget: Type.Optional(BudgetView),
    actions: Type.Optional(
      Type.Array(Type.Unsafe<SessionAction>(Type.String({ enum: sessionActions })), {
        description: "What the state allows now; what the caller may do is decided by his rights and by policy",
      }),
    ),
    accepted: Type.Optional(
      Type.Unsafe<AcceptedAction>({ ...AcceptedAction, description: "In the answer to an action" }),
    ),
  },
  { additionalProperties: false },
);
export type SessionView = Type.Static<typeof SessionView>;

export const SessionPage = Type.Object(
  {
    sessions: Type.Array(SessionView),
    next_cursor: Type.Optional(Type.String({ description: "Pass as `cursor` for the next page; absent on the last" })),
  },
  { additionalProperties: false },
);
export type SessionPage = Type.Static<typeof SessionPage>;
