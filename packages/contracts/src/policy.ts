import { Type } from "typebox";
import { SessionIdSchema, TenantIdSchema, UserIdSchema } from "./ids.ts";
import { roles, type Role } from "./wire-names.ts";

export const severities = ["none", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

/** `POST /v1/evaluate`. Typed fields are the platform's word; whatever the user sent stands under `metadata` alone. */
export const EvaluateRequest = Type.Object(
  {
    session_id: SessionIdSchema,
    tenant: TenantIdSchema,
    user: UserIdSchema,
    prompt: Type.String({ maxLength: 102_400, description: "The text to be judged" }),
    role: Type.Unsafe<Role>(Type.String({ enum: roles })),
    action: Type.Optional(
      Type.String({ pattern: "^[a-z]+(\\.[a-z]+)+$", maxLength: 64, description: "e.g. model.complete" }),
    ),
    resource: Type.Optional(Type.String({ maxLength: 256, description: "e.g. model:default" })),
    pack: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description: "The shared pack that the tenant is set to; decides where no pack names the tenant itself",
      }),
    ),
    metadata: Type.Record(Type.String(), Type.Unknown(), { description: "The user's own, untrusted" }),
  },
  { additionalProperties: false },
);
export type EvaluateRequest = Type.Static<typeof EvaluateRequest>;

/** What a step without budget does. */
export const outOfBudget = ["wait", "end"] as const;
export type OutOfBudget = (typeof outOfBudget)[number];

/** What a session does while its memory cannot be reached. */
export const memoryUnavailable = ["go_on", "wait"] as const;
export type MemoryUnavailable = (typeof memoryUnavailable)[number];

/** What must be met before a permit can be used. A kind that the orchestrator does not know means: no permit. */
export const Obligation = Type.Union([
  Type.Object(
    { kind: Type.Literal("max_output_tokens"), limit: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("require_approval"),
      role: Type.Unsafe<Role>(Type.String({ enum: roles })),
      quorum: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 5, description: "How many different people must approve; 1 unless given" }),
      ),
      expires_in_seconds: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 900, description: "Then it counts as denied; 900 unless given" }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("out_of_budget"),
      choice: Type.Unsafe<OutOfBudget>(
        Type.String({ enum: outOfBudget, description: "Wait for an extension, or end; wait unless given" }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      kind: Type.Literal("memory_unavailable"),
      choice: Type.Unsafe<MemoryUnavailable>(
        Type.String({ enum: memoryUnavailable, description: "Go on, marked, or wait; go_on unless given" }),
      ),
    },
    { additionalProperties: false },
  ),
]);
export type Obligation = Type.Static<typeof Obligation>;

/** What any policy engine must answer; these four decide, and anything that does not fit is a denial. */
export const ForeignDecision = Type.Object({
  allowed: Type.Boolean(),
  score: Type.Number({ minimum: 0, maximum: 1 }),
  severity: Type.Unsafe<Severity>(Type.String({ enum: severities })),
  reasons: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 64 }),
  decision_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  policy_version: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  expires_at: Type.Optional(Type.String({ maxLength: 40, description: "RFC 3339, UTC" })),
  obligations: Type.Optional(Type.Array(Obligation, { maxItems: 16 })),
  session_id: Type.Optional(Type.String({ maxLength: 128, description: "If given, must be that of the request" })),
  request_id: Type.Optional(Type.String({ maxLength: 128, description: "If given, must be that of the request" })),
});
export type ForeignDecision = Type.Static<typeof ForeignDecision>;

/** What our policy engine answers. */
export const Decision = Type.Object(
  {
    allowed: Type.Boolean(),
    score: Type.Number({ minimum: 0, maximum: 1, description: "Risk: 0 harmless, 1 certain harm" }),
    severity: Type.Unsafe<Severity>(Type.String({ enum: severities })),
    reasons: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 64 }),
    decision_id: Type.String({ minLength: 1, maxLength: 128 }),
    policy_version: Type.String({ minLength: 1, maxLength: 128, description: "Digest of the pack that decided" }),
    expires_at: Type.String({ description: "RFC 3339, UTC: until when an effect may rely on this" }),
    obligations: Type.Array(Obligation, { maxItems: 16 }),
    session_id: SessionIdSchema,
    request_id: Type.String(),
  },
  { additionalProperties: false },
);
export type Decision = Type.Static<typeof Decision>;
