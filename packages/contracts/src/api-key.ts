import { Type } from "typebox";
import { TenantIdSchema, UserIdSchema } from "./ids.ts";
import { capabilities, roles, type Capability, type Role } from "./wire-names.ts";

const closed = { additionalProperties: false } as const;
const Timestamp = Type.String({ description: "RFC 3339, UTC" });
const KeyId = Type.String({ pattern: "^[a-z0-9]{16}$" });
const Scopes = Type.Array(Type.Unsafe<Capability>(Type.String({ enum: capabilities })), {
  minItems: 1,
  maxItems: capabilities.length,
  uniqueItems: true,
});

/** Longest life of an API key, in seconds: a year. */
export const maxApiKeySeconds = 366 * 86_400;

/**
 * `POST /v1/api-keys`; takes `key.manage` of the tenant, or `platform.manage` for another one. Nobody gives a key more
 * than he has himself.
 */
export const CreateApiKeyRequest = Type.Object(
  {
    tenant: Type.Optional(TenantIdSchema),
    name: Type.String({
      pattern: "^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$",
      description: "For people; letters, digits, blank and ._-",
    }),
    role: Type.Unsafe<Role>(Type.String({ enum: roles })),
    scopes: Type.Optional(Scopes),
    expires_in_seconds: Type.Optional(
      Type.Integer({ minimum: 60, maximum: maxApiKeySeconds, description: "90 days unless given" }),
    ),
  },
  closed,
);
export type CreateApiKeyRequest = Type.Static<typeof CreateApiKeyRequest>;

/**
 * `POST /v1/api-keys` of the identity service; from the service that keeps the tenants, which has decided. `Idempotency-Key`:
 * see the answers, {@link CreatedApiKey} and {@link ApiKeyView}.
 */
export const MakeApiKeyRequest = Type.Object(
  {
    tenant: TenantIdSchema,
    name: CreateApiKeyRequest.properties.name,
    role: CreateApiKeyRequest.properties.role,
    scopes: Scopes,
    expires_in_seconds: CreateApiKeyRequest.properties.expires_in_seconds,
    created_by: UserIdSchema,
  },
  closed,
);
export type MakeApiKeyRequest = Type.Static<typeof MakeApiKeyRequest>;

/** An API key as it can be shown again: never its secret. Acts as the user `key:<key_id>`. */
export const ApiKeyView = Type.Object(
  {
    key_id: KeyId,
    tenant: TenantIdSchema,
    name: Type.String(),
    role: Type.Unsafe<Role>(Type.String({ enum: roles })),
    scopes: Scopes,
    created_by: Type.String(),
    created_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Type.Optional(Timestamp),
    last_used_at: Type.Optional(Timestamp),
  },
  closed,
);
export type ApiKeyView = Type.Static<typeof ApiKeyView>;

/**
 * The answer that holds the secret, `soma_<key_id>_<43 characters>`. Who repeats the request with its `Idempotency-Key`
 * because no answer came gets the same key with another secret in place of the one that was lost, for ten minutes and
 * until the key was used; after that, the key without a secret.
 */
export const CreatedApiKey = Type.Object({ ...ApiKeyView.properties, secret: Type.String({ maxLength: 128 }) }, closed);
export type CreatedApiKey = Type.Static<typeof CreatedApiKey>;

export const ApiKeyPage = Type.Object({ keys: Type.Array(ApiKeyView) }, closed);
export type ApiKeyPage = Type.Static<typeof ApiKeyPage>;
