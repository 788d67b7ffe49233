import { Type } from "typebox";
import { AppliedPrice, Reservation } from "./budget.ts";
import { DigestSchema, SessionIdSchema, TenantIdSchema } from "./ids.ts";

/**
 * The proof that one action of one step was allowed, which every activity with an effect takes as its first argument
 * and checks. Single-use through `effect_key`; `mac` is made and checked by the workers' key alone.
 */
export const Permit = Type.Object(
  {
    tenant: TenantIdSchema,
    session_id: SessionIdSchema,
    step: Type.String(),
    round: Type.Integer({
      minimum: 1,
      description: "Which decision on this step; above 1 when one expired while it waited",
    }),
    effect_key: DigestSchema,
    action_digest: DigestSchema,
    decision_id: Type.String(),
    policy_version: Type.String(),
    expires_at: Type.String({ description: "RFC 3339, UTC" }),
    max_output_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
    approval_id: Type.Optional(Type.String({ description: "The approval that was given for this very action" })),
    reserve: Type.Optional(Reservation),
    price: Type.Optional(AppliedPrice),
    memory_unavailable: Type.Optional(
      Type.Literal("wait", { description: "Memory is waited for; absent: it is gone on without" }),
    ),
    mac: Type.String(),
  },
  { additionalProperties: false },
);
export type Permit = Type.Static<typeof Permit>;

/** What is decided on and, by its digest, permitted: changing one byte of it voids the permit. */
export interface GovernedAction {
  /** e.g. `model.complete` */
  readonly action: string;
  /** e.g. `model:default` */
  readonly resource: string;
  /** Digests and numbers that pin the arguments; no texts. */
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
}

/** A step's token as it stands in Temporal's history: `sealed` can be opened by the workers alone. */
export const SealedToken = Type.Object(
  { jti: Type.String(), expires_at: Type.String(), scopes: Type.Array(Type.String()), sealed: Type.String() },
  { additionalProperties: false },
);
export type SealedToken = Type.Static<typeof SealedToken>;
