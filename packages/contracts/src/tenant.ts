import { Type } from "typebox";
import { TenantIdSchema } from "./ids.ts";
import { roles, type Role } from "./wire-names.ts";

const closed = { additionalProperties: false } as const;
const Timestamp = Type.String({ description: "RFC 3339, UTC" });

export const tenantStatuses = ["active", "suspended"] as const;
export type TenantStatus = (typeof tenantStatuses)[number];
const TenantStatusSchema = Type.Unsafe<TenantStatus>(Type.String({ enum: tenantStatuses }));

/** What a tenant may use at most; each bound is answered with a 429 that names it. */
export const TenantQuotas = Type.Object(
  {
    running_sessions: Type.Integer({ minimum: 0, maximum: 1_000_000, description: "Sessions that have not ended" }),
    streams: Type.Integer({ minimum: 0, maximum: 100_000, description: "Open event streams" }),
    requests_per_minute: Type.Integer({ minimum: 1, maximum: 10_000_000 }),
    concurrent_requests: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      description: "Requests under way, streams apart",
    }),
    tokens_per_day: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "Model tokens, prompt and completion, of a day in UTC",
    }),
    cost_micros_per_day: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "Money of a day in UTC, in millionths of the price table's currency; unbounded unless given",
      }),
    ),
  },
  closed,
);
export type TenantQuotas = Type.Static<typeof TenantQuotas>;

/** The quotas of a tenant that was given none. */
export const defaultQuotas: TenantQuotas = {
  running_sessions: 100,
  streams: 200,
  requests_per_minute: 1_200,
  concurrent_requests: 64,
  tokens_per_day: 10_000_000,
};

export const issuerAlgorithms = ["RS256", "PS256", "ES256", "EdDSA"] as const;
export type IssuerAlgorithm = (typeof issuerAlgorithms)[number];
const RoleSchema = Type.Unsafe<Role>(Type.String({ enum: roles }));

/** A foreign issuer whose access tokens (RFC 9068) can be exchanged for ours, in this tenant. */
export const TrustedIssuer = Type.Object(
  {
    issuer: Type.String({
      pattern: "^(https://|http://(127\\.0\\.0\\.1|localhost)[:/])[^\\s?#]+$",
      maxLength: 256,
      description: "Claim `iss`, to the letter; https, or http on this machine",
    }),
    jwks_uri: Type.String({
      pattern: "^(https://|http://(127\\.0\\.0\\.1|localhost)[:/])[^\\s#]+$",
      maxLength: 512,
      description: "Where its keys are; https, or http on this machine",
    }),
    audience: Type.String({ minLength: 1, maxLength: 256, description: "Claim `aud`, to the letter" }),
    algorithms: Type.Array(Type.Unsafe<IssuerAlgorithm>(Type.String({ enum: issuerAlgorithms })), {
      minItems: 1,
      maxItems: issuerAlgorithms.length,
      uniqueItems: true,
    }),
    user_claim: Type.String({ pattern: "^[A-Za-z0-9_]{1,64}$", default: "sub", description: "Names the user" }),
    role_claim: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9_:/.-]{1,128}$",
        description: "A text, or a list of which the first known one counts",
      }),
    ),
    roles: Type.Record(Type.String({ minLength: 1, maxLength: 128 }), RoleSchema, {
      maxProperties: 64,
      description: "What each value of `role_claim` is here; a value that is not listed is none",
    }),
    default_role: Type.Optional(RoleSchema),
  },
  closed,
);
export type TrustedIssuer = Type.Static<typeof TrustedIssuer>;

const PackName = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "A shared pack of the policy engine; a pack that names the tenant goes before it",
});
const RetentionDays = Type.Integer({
  minimum: 1,
  maximum: 36_500,
  description: "For so long texts and ended sessions are kept",
});
const DisplayName = Type.String({ minLength: 1, maxLength: 128 });
const Issuers = Type.Array(TrustedIssuer, { maxItems: 8 });

/** `POST /v1/tenants`; takes `platform.manage`. */
export const CreateTenantRequest = Type.Object(
  {
    tenant: TenantIdSchema,
    name: Type.Optional(DisplayName),
    quotas: Type.Optional(Type.Partial(TenantQuotas, closed)),
    policy_pack: Type.Optional(PackName),
    issuers: Type.Optional(Issuers),
    retention_days: Type.Optional(RetentionDays),
  },
  closed,
);
export type CreateTenantRequest = Type.Static<typeof CreateTenantRequest>;

/**
 * `PATCH /v1/tenants/{tenant}`: what is named changes, the rest stays. Quotas take `platform.manage`, the others
 * `tenant.manage` of the tenant itself.
 */
export const UpdateTenantRequest = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: "The version that the change was made for; another one is TENANT_CHANGED",
      }),
    ),
    name: Type.Optional(DisplayName),
    quotas: Type.Optional(Type.Partial(TenantQuotas, closed)),
    policy_pack: Type.Optional(PackName),
    issuers: Type.Optional(Issuers),
    retention_days: Type.Optional(RetentionDays),
  },
  closed,
);
export type UpdateTenantRequest = Type.Static<typeof UpdateTenantRequest>;

/** `POST /v1/tenants/{tenant}/suspend` and `/resume`. */
export const TenantActionRequest = Type.Object(
  { reason: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })) },
  closed,
);
export type TenantActionRequest = Type.Static<typeof TenantActionRequest>;

/** What a tenant is set to. */
export const TenantSettings = Type.Object(
  {
    name: Type.Optional(DisplayName),
    quotas: TenantQuotas,
    policy_pack: Type.Optional(PackName),
    issuers: Issuers,
    retention_days: Type.Optional(RetentionDays),
  },
  closed,
);
export type TenantSettings = Type.Static<typeof TenantSettings>;

/** What counts against a tenant's quotas. */
export const TenantUsage = Type.Object(
  {
    running_sessions: Type.Integer({ minimum: 0 }),
    tokens_today: Type.Integer({ minimum: 0 }),
    cost_micros_today: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);
export type TenantUsage = Type.Static<typeof TenantUsage>;

export const TenantView = Type.Object(
  {
    tenant: TenantIdSchema,
    status: TenantStatusSchema,
    ...TenantSettings.properties,
    usage: Type.Optional(TenantUsage),
    version: Type.Integer({ minimum: 1, description: "Position of the newest change in the tenant's ledger" }),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  closed,
);
export type TenantView = Type.Static<typeof TenantView>;

export const TenantPage = Type.Object(
  { tenants: Type.Array(TenantView), next_cursor: Type.Optional(Type.String()) },
  closed,
);
export type TenantPage = Type.Static<typeof TenantPage>;

/**
 * `PUT /v1/tenants/{tenant}` of the identity service: what it must know of a tenant. An older version never takes the
 * place of a newer one.
 */
export const TenantEntry = Type.Object(
  { version: TenantView.properties.version, status: TenantStatusSchema, issuers: Issuers },
  closed,
);
export type TenantEntry = Type.Static<typeof TenantEntry>;

/** What the identity service has in force for a tenant; the answer to `PUT` and `GET /v1/tenants/{tenant}`. */
export const KnownTenant = Type.Object({ tenant: TenantIdSchema, ...TenantEntry.properties }, closed);
export type KnownTenant = Type.Static<typeof KnownTenant>;

/** What the gateway needs of a tenant to admit a request; answered to the gateway alone. */
export const TenantAdmission = Type.Object(
  {
    tenant: TenantIdSchema,
    status: TenantStatusSchema,
    quotas: TenantQuotas,
    usage: TenantUsage,
  },
  closed,
);
export type TenantAdmission = Type.Static<typeof TenantAdmission>;
