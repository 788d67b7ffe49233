import { Type } from "typebox";
import { Budget } from "./budget.ts";
import { DigestSchema, UserIdSchema, type Digest } from "./ids.ts";
import type { SessionAction } from "./session.ts";
import { roles, type Capability, type Role } from "./wire-names.ts";

const closed = { additionalProperties: false } as const;

/** What a message does to a session that is busy with another. */
export const busyStrategies = ["reject", "enqueue", "interrupt", "rollback"] as const;
export type BusyStrategy = (typeof busyStrategies)[number];
export const BusyStrategySchema = Type.Unsafe<BusyStrategy>(
  Type.String({
    enum: busyStrategies,
    description:
      "reject: 409 (unless given). enqueue: answered after what is under way. interrupt: ends the turn under way, whose message stays in the conversation. rollback: ends it, and its message is taken back.",
  }),
);

/** How many messages may wait in a session. */
export const maxQueuedMessages = 16;
/** For how long an approval is asked unless policy says less, in seconds; also the most. */
export const approvalSeconds = 900;

const Reason = Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: "For people" }));
const ReasonOnly = Type.Object({ reason: Reason }, closed);

const ApprovalId = Type.String({ pattern: "^apr_[0-9a-f]{32}$" });
const ApprovalDecision = Type.Object(
  {
    approval_id: ApprovalId,
    action_digest: Type.Unsafe<Digest>({
      ...DigestSchema,
      description: "Of the action that is decided on, as the session shows it: it is for this one and no other",
    }),
    reason: Reason,
  },
  closed,
);

/** The body of `POST /v1/sessions/{id}/actions/{action}`, by action. */
export const actionBodies = {
  message: Type.Object(
    {
      text: Type.String({ minLength: 1, maxLength: 102_400, description: "At most 100 KiB" }),
      busy: Type.Optional(BusyStrategySchema),
      final: Type.Optional(Type.Boolean({ description: "The session completes after the answer" })),
    },
    closed,
  ),
  approve: ApprovalDecision,
  deny: ApprovalDecision,
  pause: ReasonOnly,
  resume: ReasonOnly,
  cancel: ReasonOnly,
  terminate: ReasonOnly,
  retry: ReasonOnly,
  "extend-budget": Budget,
} as const satisfies Record<SessionAction, Type.TSchema>;
export type ActionBody<A extends SessionAction> = Type.Static<(typeof actionBodies)[A]>;

/** What each action is to policy, and the right that it needs. */
export const actionCapabilities = {
  message: "session.steer",
  approve: "session.approve",
  deny: "session.approve",
  pause: "session.steer",
  resume: "session.steer",
  cancel: "session.cancel",
  terminate: "session.cancel",
  retry: "session.steer",
  "extend-budget": "budget.extend",
} as const satisfies Record<SessionAction, Capability>;

/** An approval that is asked for, as the session's view shows it. */
export const OpenApproval = Type.Object(
  {
    approval_id: ApprovalId,
    step: Type.String(),
    action: Type.String(),
    resource: Type.String(),
    action_digest: DigestSchema,
    requested_by: UserIdSchema,
    role: Type.Unsafe<Role>(Type.String({ enum: roles })),
    quorum: Type.Integer({ minimum: 1 }),
    granted_by: Type.Array(UserIdSchema),
    expires_at: Type.String({ description: "RFC 3339, UTC" }),
    reasons: Type.Array(Type.String({ description: "Why policy asks for it" })),
    prompt: Type.Optional(
      Type.String({ description: "The text that would be acted on, for those who may read texts" }),
    ),
  },
  closed,
);
export type OpenApproval = Type.Static<typeof OpenApproval>;

/** What the answer to an action says of it. */
export const AcceptedAction = Type.Object(
  {
    action_id: Type.String(),
    action: Type.String(),
    turn: Type.Optional(Type.Integer({ minimum: 1, description: "Of a message: the turn that answers it" })),
  },
  closed,
);
export type AcceptedAction = Type.Static<typeof AcceptedAction>;
