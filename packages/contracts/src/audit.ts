import { Type } from "typebox";
import { AppliedPrice, Budget, budgetDimensions, Reservation, type BudgetDimension } from "./budget.ts";
import { DigestSchema, SessionIdSchema, TenantIdSchema, UserIdSchema, type Digest } from "./ids.ts";
import { Obligation, severities, type Severity } from "./policy.ts";
import { ErrorCodeSchema } from "./problem.ts";
import { BusyStrategySchema } from "./session-action.ts";
import { sessionActions, Usage, type SessionAction } from "./session.ts";
import {
  authenticationKinds,
  dependencies,
  roles,
  type AuthenticationKind,
  type Dependency,
  type Role,
} from "./wire-names.ts";

const closed = { additionalProperties: false } as const;
const DependencySchema = Type.Unsafe<Dependency>(Type.String({ enum: dependencies }));
const Step = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" });
const Timestamp = Type.String({ description: "RFC 3339, UTC" });
/** Why a session does not go on though nothing that it needs is down. */
export const pauseReasons = ["tenant_suspended", "requested"] as const;
export type PauseReason = (typeof pauseReasons)[number];
const PauseReason = Type.Unsafe<PauseReason>(Type.String({ enum: pauseReasons }));
const ApprovalId = Type.String({ pattern: "^apr_[0-9a-f]{32}$" });
const ActionId = Type.String({ pattern: "^act_[0-9a-f]{32}$" });
const Turn = Type.Integer({ minimum: 1 });
const People = Type.Optional(Type.String({ maxLength: 500, description: "Why, in the words of who asked" }));

/** How a turn of a conversation ended. */
export const turnOutcomes = ["answered", "interrupted", "rolled_back", "denied", "failed"] as const;
export type TurnOutcome = (typeof turnOutcomes)[number];

/** Why an approval does not count any more. */
export const voidReasons = ["action_changed", "interrupted", "canceled"] as const;
export type VoidReason = (typeof voidReasons)[number];

const EventKey = Type.String({
  pattern: "^[!-~]{1,256}$",
  description: "What the event is within its session, e.g. step-1/policy.decided",
});

/**
 * The shape of `data` for each event type: digests, ids, counts and codes, never a prompt, a completion or a token.
 * The list and the types are one thing.
 */
export const eventData = {
  "session.created": Type.Object(
    {
      role: Type.String(),
      prompt_digest: DigestSchema,
      prompt_format: Type.Optional(
        Type.Literal("chat", {
          description:
            "The prompt's text is the canonical JSON of messages and sampling; absent: it is the text of one user message",
        }),
      ),
      metadata_digest: Type.Optional(DigestSchema),
      model: Type.Optional(Type.String()),
      labels: Type.Array(Type.String()),
      capsule: Type.Optional(Type.String()),
      task_queue: Type.String(),
      mode: Type.Optional(Type.Literal("interactive", { description: "Absent: ends with its answer" })),
      idle_seconds: Type.Optional(
        Type.Integer({ minimum: 1, description: "An interactive session completes after so long without a message" }),
      ),
      budget: Type.Optional(Budget),
      token_jti: Type.Optional(
        Type.String({ description: "Id of the caller's token: when that is revoked, the session ends" }),
      ),
      token_origins: Type.Optional(
        Type.Array(Type.String(), { description: "Ids of the tokens that the caller's token derives from" }),
      ),
    },
    closed,
  ),
  "policy.decided": Type.Object(
    {
      step: Step,
      action: Type.String(),
      resource: Type.String(),
      action_digest: DigestSchema,
      effect_key: DigestSchema,
      decision_id: Type.String(),
      policy_version: Type.String(),
      allowed: Type.Boolean(),
      score: Type.Number(),
      severity: Type.Unsafe<Severity>(Type.String({ enum: severities })),
      reasons: Type.Array(Type.String()),
      obligations: Type.Array(Obligation),
      expires_at: Timestamp,
    },
    closed,
  ),
  "token.issued": Type.Object(
    {
      step: Step,
      effect_key: DigestSchema,
      decision_id: Type.String(),
      jti: Type.String(),
      audience: Type.String(),
      scopes: Type.Array(Type.String()),
      expires_at: Timestamp,
    },
    closed,
  ),
  "effect.intended": Type.Object(
    {
      step: Step,
      action: Type.String(),
      resource: Type.String(),
      action_digest: DigestSchema,
      effect_key: DigestSchema,
      decision_id: Type.String(),
      jti: Type.String(),
      approval_id: Type.Optional(ApprovalId),
      reserved: Type.Optional(Reservation),
      price: Type.Optional(AppliedPrice),
    },
    closed,
  ),
  "effect.completed": Type.Object(
    {
      step: Step,
      effect_key: DigestSchema,
      result_digest: DigestSchema,
      model: Type.String(),
      finish_reason: Type.String(),
      usage: Usage,
      replayed: Type.Optional(
        Type.Boolean({
          description:
            "True when the target had done the effect for an earlier attempt and told its outcome by the effect key",
        }),
      ),
      attempt: Type.Optional(
        Type.Integer({ minimum: 2, description: "Which attempt's deltas are this text; absent: those of attempt 1" }),
      ),
      base_hash: Type.Optional(
        Type.Unsafe<Digest>({ ...DigestSchema, description: "The conversation up to and with this answer" }),
      ),
      cost_micros: Type.Optional(Type.Integer({ minimum: 0 })),
    },
    closed,
  ),
  "effect.failed": Type.Object({ step: Step, effect_key: DigestSchema, code: ErrorCodeSchema }, closed),
  "memory.recalled": Type.Object(
    {
      step: Step,
      effect_key: DigestSchema,
      passages: Type.Integer({ minimum: 0 }),
      result_digest: DigestSchema,
      replayed: Type.Optional(Type.Boolean()),
    },
    closed,
  ),
  "memory.remembered": Type.Object(
    { step: Step, effect_key: DigestSchema, key: Type.String(), value_digest: DigestSchema },
    closed,
  ),
  "memory.skipped": Type.Object({ step: Step, code: ErrorCodeSchema }, closed),
  "dependency.unavailable": Type.Object({ step: Step, dependency: DependencySchema, code: ErrorCodeSchema }, closed),
  "dependency.recovered": Type.Object({ step: Step, dependency: DependencySchema }, closed),
  "session.paused": Type.Object(
    { step: Step, reason: PauseReason, action_id: Type.Optional(ActionId), by: Type.Optional(UserIdSchema) },
    closed,
  ),
  "session.resumed": Type.Object(
    { step: Step, reason: PauseReason, action_id: Type.Optional(ActionId), by: Type.Optional(UserIdSchema) },
    closed,
  ),
  "session.cancel_requested": Type.Object(
    { by: UserIdSchema, reason: People, stop_id: Type.Optional(Type.String()) },
    closed,
  ),
  "action.decided": Type.Object(
    {
      action_id: ActionId,
      action: Type.Unsafe<SessionAction>(Type.String({ enum: sessionActions })),
      by: UserIdSchema,
      by_role: Type.String(),
      by_authn: Type.Unsafe<AuthenticationKind>(Type.String({ enum: authenticationKinds })),
      arguments: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: "Digests, ids, numbers and choices; texts are contents",
      }),
      decision_id: Type.String(),
      policy_version: Type.String(),
      allowed: Type.Boolean(),
      reasons: Type.Array(Type.String()),
    },
    closed,
  ),
  "action.refused": Type.Object(
    {
      action_id: ActionId,
      action: Type.Unsafe<SessionAction>(Type.String({ enum: sessionActions })),
      by: UserIdSchema,
      code: ErrorCodeSchema,
      approval_id: Type.Optional(ApprovalId),
    },
    closed,
  ),
  "message.received": Type.Object(
    {
      action_id: ActionId,
      by: UserIdSchema,
      message_digest: DigestSchema,
      busy: BusyStrategySchema,
      final: Type.Optional(Type.Boolean()),
      turn: Type.Optional(Type.Integer({ minimum: 1, description: "The turn that answers it" })),
    },
    closed,
  ),
  "turn.started": Type.Object({ turn: Turn, message_digest: DigestSchema, action_id: Type.Optional(ActionId) }, closed),
  "turn.ended": Type.Object(
    {
      turn: Turn,
      outcome: Type.Unsafe<TurnOutcome>(Type.String({ enum: turnOutcomes })),
      step: Step,
      code: Type.Optional(ErrorCodeSchema),
      result_digest: Type.Optional(DigestSchema),
      base_hash: Type.Optional(
        Type.Unsafe<Digest>({ ...DigestSchema, description: "The conversation that the next turn goes on from" }),
      ),
    },
    closed,
  ),
  "approval.requested": Type.Object(
    {
      approval_id: ApprovalId,
      step: Step,
      action: Type.String(),
      resource: Type.String(),
      action_digest: DigestSchema,
      effect_key: DigestSchema,
      decision_id: Type.String(),
      requested_by: UserIdSchema,
      role: Type.Unsafe<Role>(Type.String({ enum: roles })),
      quorum: Type.Integer({ minimum: 1 }),
      expires_at: Timestamp,
      reasons: Type.Array(Type.String()),
    },
    closed,
  ),
  "approval.granted": Type.Object(
    { approval_id: ApprovalId, action_id: ActionId, by: UserIdSchema, action_digest: DigestSchema },
    closed,
  ),
  "approval.denied": Type.Object(
    { approval_id: ApprovalId, action_id: ActionId, by: UserIdSchema, action_digest: DigestSchema },
    closed,
  ),
  "approval.expired": Type.Object({ approval_id: ApprovalId }, closed),
  "approval.voided": Type.Object(
    { approval_id: ApprovalId, reason: Type.Unsafe<VoidReason>(Type.String({ enum: voidReasons })) },
    closed,
  ),
  "budget.exhausted": Type.Object(
    {
      step: Step,
      dimension: Type.Unsafe<BudgetDimension>(Type.String({ enum: budgetDimensions })),
      limit: Type.Integer({ minimum: 0 }),
      used: Type.Integer({ minimum: 0, description: "Spent and set aside" }),
      needed: Type.Integer({ minimum: 0 }),
    },
    closed,
  ),
  "budget.extended": Type.Object({ action_id: ActionId, by: UserIdSchema, added: Budget, limit: Budget }, closed),
  "session.completed": Type.Object({ result_digest: DigestSchema, usage: Usage }, closed),
  "session.denied": Type.Object(
    {
      code: ErrorCodeSchema,
      step: Step,
      decision_id: Type.Optional(Type.String()),
      reasons: Type.Array(Type.String()),
    },
    closed,
  ),
  "session.failed": Type.Object({ code: ErrorCodeSchema, step: Type.Optional(Step) }, closed),
  "session.canceled": Type.Object({}, closed),
  "session.timed_out": Type.Object({}, closed),
} as const;

export type EventType = keyof typeof eventData;
export type EventData<T extends EventType> = Type.Static<(typeof eventData)[T]>;

/** An event as a writer hands it in; the ledger adds position, time and chain. */
export type NewEvent = {
  [T in EventType]: {
    readonly type: T;
    /** What makes the id deterministic within the session, e.g. `step-1/policy.decided`. */
    readonly key: string;
    readonly tenant: string;
    readonly session_id: string;
    readonly user: string;
    readonly agent: string;
    readonly authn: AuthenticationKind;
    readonly traceparent?: string;
    readonly data: EventData<T>;
  };
}[EventType];

/**
 * One event of a session's ledger: a CloudEvents 1.0 event in structured mode, on every wire the same bytes.
 * `id` is `evt_` and the SHA-256 (hex) over tenant, session and `eventkey`, each preceded by its length in bytes and a
 * colon: a stranger can recompute it. `sequence` is gap-free per session from 1, `hash` the SHA-256 over the RFC 8785
 * canonical JSON of the event without `hash`, `prevhash` the hash of the one before (64 zeros for the first).
 */
export const AuditEvent = Type.Object(
  {
    specversion: Type.Literal("1.0"),
    id: Type.String({ pattern: "^evt_[0-9a-f]{64}$" }),
    eventkey: EventKey,
    source: Type.String({ description: "/tenants/<tenant>/sessions/<session>" }),
    type: Type.Unsafe<EventType>(Type.String({ enum: Object.keys(eventData) })),
    subject: SessionIdSchema,
    time: Timestamp,
    datacontenttype: Type.Literal("application/json"),
    tenant: TenantIdSchema,
    user: UserIdSchema,
    agent: Type.String(),
    authn: Type.Unsafe<AuthenticationKind>(Type.String({ enum: authenticationKinds })),
    traceparent: Type.Optional(Type.String()),
    sequence: Type.Integer({ minimum: 1 }),
    prevhash: DigestSchema,
    hash: DigestSchema,
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  closed,
);
export type AuditEvent = Type.Static<typeof AuditEvent>;

/** `prevhash` of the first event of a session. */
export const genesisHash = `sha256:${"0".repeat(64)}` as const;

/** What retention has taken from the beginning of a session's ledger; the next event's `prevhash` is `hash`. */
export const EventGap = Type.Object(
  {
    from: Type.Integer({ minimum: 1, description: "`sequence` of the first event that is gone" }),
    to: Type.Integer({ minimum: 1, description: "`sequence` of the last event that is gone" }),
    hash: Type.Unsafe<Digest>({ ...DigestSchema, description: "`hash` of the last event that is gone" }),
  },
  closed,
);
export type EventGap = Type.Static<typeof EventGap>;

export const EventPage = Type.Object(
  {
    session_id: SessionIdSchema,
    gap: Type.Optional(
      Type.Unsafe<EventGap>({
        ...EventGap,
        description: "Events after `after` that retention has cut; those of the page follow them",
      }),
    ),
    events: Type.Array(AuditEvent),
    next_after: Type.Optional(
      Type.Integer({ description: "Pass as `after` for the next page; absent when no event is left now" }),
    ),
  },
  closed,
);
export type EventPage = Type.Static<typeof EventPage>;
