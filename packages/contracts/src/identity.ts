import { Type } from "typebox";
import { SessionIdSchema, TenantIdSchema, UserIdSchema } from "./ids.ts";

const CapabilityName = Type.String({
  pattern: "^[a-z]+(\\.[a-z_]+)+$",
  maxLength: 64,
  description: "e.g. model.complete",
});

/** `POST /v1/tokens/issue`; needs a service credential. What is granted is never more than what is asked for. */
export const IssueTokenRequest = Type.Object(
  {
    user_id: UserIdSchema,
    tenant_id: TenantIdSchema,
    capabilities: Type.Array(CapabilityName, { minItems: 1, maxItems: 64, uniqueItems: true }),
    mfa_code: Type.Optional(
      Type.String({ pattern: "^[0-9]{6,8}$", description: "TOTP code of an enrolled user; never logged" }),
    ),
    agent_id: Type.Optional(
      Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description: "Narrows to what this agent may do" }),
    ),
    audience: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: "The one service that may accept the token" }),
    ),
    ttl_seconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 3600, description: "Asked lifetime; the registry caps it" }),
    ),
    session_id: Type.Optional(SessionIdSchema),
    step: Type.Optional(
      Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$", description: "The governed step that it is for" }),
    ),
  },
  { additionalProperties: false },
);
export type IssueTokenRequest = Type.Static<typeof IssueTokenRequest>;

export const IssuedToken = Type.Object(
  {
    token: Type.String({ maxLength: 8192 }),
    expires_in: Type.Integer({ minimum: 1, description: "Seconds" }),
    token_type: Type.Literal("Bearer"),
  },
  { additionalProperties: false },
);
export type IssuedToken = Type.Static<typeof IssuedToken>;

/** Claims of our access tokens (RFC 9068 profile). */
export const TokenClaims = Type.Object({
  iss: Type.String(),
  sub: UserIdSchema,
  aud: Type.String(),
  jti: Type.String({ minLength: 1, maxLength: 128 }),
  iat: Type.Integer(),
  exp: Type.Integer(),
  tenant_id: TenantIdSchema,
  scope: Type.String({ description: "Granted capabilities, separated by one space" }),
  role: Type.String(),
  agent_id: Type.Optional(Type.String()),
  session_id: Type.Optional(Type.String()),
  step: Type.Optional(Type.String()),
});
export type TokenClaims = Type.Static<typeof TokenClaims>;

export const VerifyTokenRequest = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 8192 }) },
  { additionalProperties: false },
);

/** The answer never says why a token is not valid. */
export const VerifiedToken = Type.Object(
  { valid: Type.Boolean(), claims: Type.Optional(TokenClaims) },
  { additionalProperties: false },
);
export type VerifiedToken = Type.Static<typeof VerifiedToken>;

/** Exactly one of the two; by `jti` needs a service credential, by `token` its possession is enough. */
export const RevokeTokenRequest = Type.Object(
  {
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 8192 })),
    jti: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  },
  { additionalProperties: false },
);
export type RevokeTokenRequest = Type.Static<typeof RevokeTokenRequest>;

export const RevokedToken = Type.Object({ revoked: Type.Boolean() }, { additionalProperties: false });
export type RevokedToken = Type.Static<typeof RevokedToken>;
