import {
  severities,
  type Severity,
  memoryUnavailable,
  outOfBudget,
  type MemoryUnavailable,
  type OutOfBudget,
} from "@soma/contracts/policy";
import { TenantIdSchema, UserIdSchema } from "@soma/contracts/ids";
import { capabilities, roles, type Capability, type Role } from "@soma/contracts/wire-names";
import { Type } from "typebox";

const closed = { additionalProperties: false } as const;
const Id = Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,63}$" });
const RoleName = Type.Unsafe<Role>(Type.String({ enum: roles }));
const Actions = Type.Array(Type.Unsafe<Capability>(Type.String({ enum: capabilities })), {
  minItems: 1,
  uniqueItems: true,
});
const Score = Type.Number({ minimum: 0, maximum: 1 });
const MaxOutputTokens = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const Word = Type.String({ pattern: "^[\\p{L}\\p{N}_]+\\*?$", maxLength: 64 });

const Authorization = Type.Object(
  {
    /** Cedar text by id, one policy each. Cost grows with their number: 0.1 ms for a few, 0.3 ms for 100. */
    policies: Type.Record(Id, Type.String({ minLength: 1, maxLength: 8192 }), {
      minProperties: 1,
      maxProperties: 100,
      ...closed,
    }),
    groups: Type.Optional(
      Type.Record(Id, Type.Array(UserIdSchema, { maxItems: 1000 }), { maxProperties: 50, ...closed }),
    ),
    models: Type.Optional(
      Type.Record(
        Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127}$" }),
        Type.Object({ labels: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 16 }) }, closed),
        { maxProperties: 100, ...closed },
      ),
    ),
  },
  closed,
);
export type PackAuthorization = Type.Static<typeof Authorization>;

const Rule = Type.Object(
  {
    id: Id,
    actions: Actions,
    terms: Type.Optional(
      Type.Array(Type.String({ pattern: "[\\p{L}\\p{N}]", maxLength: 120 }), { minItems: 1, maxItems: 50 }),
    ),
    near: Type.Optional(
      Type.Object(
        {
          words: Type.Array(Type.Array(Word, { minItems: 1, maxItems: 50 }), { minItems: 1, maxItems: 6 }),
          within: Type.Integer({ minimum: 1, maximum: 100 }),
        },
        closed,
      ),
    ),
    pattern: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
    effect: Type.Unsafe<"deny" | "score">(Type.String({ enum: ["deny", "score"] })),
    score: Score,
    severity: Type.Unsafe<Severity>(Type.String({ enum: severities.filter((severity) => severity !== "none") })),
    reason: Type.String({ minLength: 1, maxLength: 300 }),
  },
  closed,
);
export type PackRule = Type.Static<typeof Rule>;

const PackObligation = Type.Object(
  {
    actions: Actions,
    /** From this summed score on; always when left out. */
    from_score: Type.Optional(Score),
    max_output_tokens: Type.Optional(MaxOutputTokens),
    require_approval: Type.Optional(RoleName),
    /** Of `require_approval`: how many different people, and for how long it is asked. */
    approval_quorum: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
    approval_expires_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 900 })),
    out_of_budget: Type.Optional(Type.Unsafe<OutOfBudget>(Type.String({ enum: outOfBudget }))),
    memory_unavailable: Type.Optional(Type.Unsafe<MemoryUnavailable>(Type.String({ enum: memoryUnavailable }))),
  },
  closed,
);
export type PackObligation = Type.Static<typeof PackObligation>;

const Example = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 120 }),
    request: Type.Object(
      {
        user: UserIdSchema,
        role: RoleName,
        prompt: Type.String({ maxLength: 102_400 }),
        action: Type.Optional(Type.String({ maxLength: 64 })),
        resource: Type.Optional(Type.String({ maxLength: 256 })),
        metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      },
      closed,
    ),
    expect: Type.Object(
      {
        allowed: Type.Boolean(),
        severity: Type.Optional(Type.String({ enum: severities })),
        /** Exactly the content rules that match. */
        rules: Type.Optional(Type.Array(Id)),
        /** Exactly the Cedar policies that decide. */
        policies: Type.Optional(Type.Array(Id)),
        /** Each must be part of one of the reasons. */
        reasons: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
        max_output_tokens: Type.Optional(MaxOutputTokens),
        require_approval: Type.Optional(RoleName),
        out_of_budget: Type.Optional(Type.String({ enum: outOfBudget })),
        memory_unavailable: Type.Optional(Type.String({ enum: memoryUnavailable })),
      },
      closed,
    ),
  },
  closed,
);
export type PackExample = Type.Static<typeof Example>;

/** Names of shared packs, as tenants are set to one. */
const PackName = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" });

/** A rule pack as its file holds it: of one tenant, or shared. What each field does is written in the service's README. */
export const PackFile = Type.Object(
  {
    version: Type.Literal(1),
    tenant: Type.Optional(TenantIdSchema),
    pack: Type.Optional(PackName),
    name: Type.String({ minLength: 1, maxLength: 120 }),
    authorization: Authorization,
    rules: Type.Array(Rule, { maxItems: 50 }),
    /** Summed score from which on a request is denied. */
    threshold: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    obligations: Type.Optional(Type.Array(PackObligation, { maxItems: 16 })),
    // At least one: a pack that nobody tried is not activated.
    examples: Type.Array(Example, { minItems: 1, maxItems: 200 }),
  },
  closed,
);
export type PackFile = Type.Static<typeof PackFile>;
