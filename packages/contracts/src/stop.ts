import { Type } from "typebox";
import { SessionIdSchema, TenantIdSchema, UserIdSchema } from "./ids.ts";

const closed = { additionalProperties: false } as const;

/** What a stop reaches: one session, all of a user or an agent of a tenant, a tenant, or the whole installation. */
export const stopScopes = ["session", "user", "agent", "tenant", "all"] as const;
export type StopScope = (typeof stopScopes)[number];
export const StopScopeSchema = Type.Unsafe<StopScope>(Type.String({ enum: stopScopes }));

const Reason = Type.String({ minLength: 1, maxLength: 500, description: "For people; stands in the ledgers" });
const Tenant = Type.Optional(
  Type.Unsafe<Type.Static<typeof TenantIdSchema>>({
    ...TenantIdSchema,
    description: "Another tenant than your own, for the installation's admins",
  }),
);

/** The body of `POST /v1/stops`. */
export const StopRequest = Type.Object(
  {
    scope: StopScopeSchema,
    target: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: "The id of the session, the user or the agent; not with tenant and all",
      }),
    ),
    tenant: Tenant,
    reason: Reason,
  },
  closed,
);
export type StopRequest = Type.Static<typeof StopRequest>;

/**
 * Why it is not known that a session has stopped. `temporal_unavailable`: the request is recorded and is carried on when
 * Temporal is back. `effect_under_way`: an effect had begun and its outcome is not recorded. `not_ended_yet`: the
 * request was taken, and the end is not recorded; nobody works on it, perhaps. `not_recorded`: the ledger did not take
 * the request. `not_in_time`: the stop's own time was over before its turn came.
 */
export const stopDoubts = [
  "temporal_unavailable",
  "effect_under_way",
  "not_ended_yet",
  "not_recorded",
  "not_in_time",
] as const;
export type StopDoubt = (typeof stopDoubts)[number];

export const StopReport = Type.Object(
  {
    stop_id: Type.String(),
    scope: StopScopeSchema,
    stopped: Type.Array(SessionIdSchema, { description: "Sessions whose end is recorded" }),
    already_ended: Type.Integer({ minimum: 0, description: "Those that ended by themselves before it came to them" }),
    unknown: Type.Array(
      Type.Object(
        {
          session_id: SessionIdSchema,
          why: Type.Unsafe<StopDoubt>(Type.String({ enum: stopDoubts })),
        },
        closed,
      ),
      { description: "Sessions of which it cannot be said that they have stopped, and why" },
    ),
    tokens: Type.Object(
      {
        revoked: Type.Integer({ minimum: 0 }),
        not_revoked: Type.Integer({ minimum: 0, description: "The identity service did not answer" }),
        api_keys: Type.Array(Type.String(), {
          description: "API keys that stopped sessions were started with; a stop ends no key",
        }),
      },
      closed,
    ),
  },
  closed,
);
export type StopReport = Type.Static<typeof StopReport>;

/** The body of `POST /v1/erasures`. */
export const EraseSubjectRequest = Type.Object(
  { user: UserIdSchema, tenant: Tenant, reason: Type.Optional(Reason) },
  closed,
);
export type EraseSubjectRequest = Type.Static<typeof EraseSubjectRequest>;

/** What came of the subject's memory. */
export const memoryErasures = ["erased", "not_configured", "unavailable"] as const;
export type MemoryErasure = (typeof memoryErasures)[number];
export const MemoryErasureSchema = Type.Unsafe<MemoryErasure>(
  Type.String({
    enum: memoryErasures,
    description: "unavailable: the memory gateway did not say that it is done; ask again under another Idempotency-Key",
  }),
);

export const ErasureReport = Type.Object(
  {
    erasure_id: Type.String(),
    tenant: TenantIdSchema,
    user: UserIdSchema,
    stopped: Type.Integer({ minimum: 0, description: "Sessions that were ended for it" }),
    keys_destroyed: Type.Integer({
      minimum: 0,
      description: "Content keys; what they encrypted can be read by nobody any more",
    }),
    memory: MemoryErasureSchema,
  },
  closed,
);
export type ErasureReport = Type.Static<typeof ErasureReport>;
