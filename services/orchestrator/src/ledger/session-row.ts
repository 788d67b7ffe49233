import { pauseReasons, type PauseReason } from "@soma/contracts/audit";
import { DigestSchema } from "@soma/contracts/ids";
import { ErrorCodeSchema } from "@soma/contracts/problem";
import { DecisionSummary, SessionStatusSchema, TokenSummary, Usage } from "@soma/contracts/session";
import { SessionIdSchema, TenantIdSchema, UserIdSchema } from "@soma/contracts/ids";
import {
  authenticationKinds,
  dependencies,
  type AuthenticationKind,
  type Dependency,
} from "@soma/contracts/wire-names";
import { openPhases, type OpenPhase } from "@soma/contracts/session-machine";
import { Type } from "typebox";
import { ApprovalState } from "./session-approvals.ts";
import { BudgetState } from "./session-budget.ts";
import { TurnsState } from "./session-turns.ts";

const closed = { additionalProperties: false } as const;

/** What a session's events say about it, and nothing else: replaying the events gives the same value. */
export const SessionProjection = Type.Object(
  {
    session_id: SessionIdSchema,
    tenant: TenantIdSchema,
    user: UserIdSchema,
    role: Type.String(),
    agent: Type.String(),
    authn: Type.Unsafe<AuthenticationKind>(Type.String({ enum: authenticationKinds })),
    task_queue: Type.String(),
    status: SessionStatusSchema,
    blocked_on: Type.Optional(Type.Unsafe<Dependency>(Type.String({ enum: dependencies }))),
    blocked_code: Type.Optional(ErrorCodeSchema),
    model: Type.Optional(Type.String()),
    labels: Type.Array(Type.String()),
    capsule: Type.Optional(Type.String()),
    prompt_digest: DigestSchema,
    prompt_format: Type.Optional(Type.Literal("chat")),
    metadata_digest: Type.Optional(DigestSchema),
    token_jti: Type.Optional(Type.String()),
    token_origins: Type.Optional(Type.Array(Type.String())),
    created_at: Type.String(),
    updated_at: Type.String(),
    last_seq: Type.Integer({ minimum: 1 }),
    decision: Type.Optional(DecisionSummary),
    token: Type.Optional(TokenSummary),
    result: Type.Optional(
      Type.Object({ digest: DigestSchema, model: Type.String(), finish_reason: Type.String(), usage: Usage }, closed),
    ),
    error: Type.Optional(Type.Object({ code: ErrorCodeSchema }, closed)),
    /** Somebody asked for its end; no effect begins from here on. */
    cancel_requested: Type.Optional(Type.Literal(true)),
    /** While paused: why, and where it goes on. */
    paused: Type.Optional(
      Type.Object(
        {
          reason: Type.Unsafe<PauseReason>(Type.String({ enum: pauseReasons })),
          resumes_to: Type.Unsafe<OpenPhase>(Type.String({ enum: openPhases })),
        },
        closed,
      ),
    ),
    mode: Type.Optional(Type.Literal("interactive")),
    idle_seconds: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Of an interactive session. */
    turns: Type.Optional(TurnsState),
    approvals: Type.Optional(Type.Array(ApprovalState)),
    budget: Type.Optional(BudgetState),
  },
  closed,
);
export type SessionProjection = Type.Static<typeof SessionProjection>;

/** A session as the ledger's index holds it: the projection and where the session runs. */
export interface SessionRow extends SessionProjection {
  readonly workflow_id: string;
  readonly run_id?: string;
}
