import { Type } from "typebox";
import { tokenRefusals, type TokenRefusal } from "./access.ts";
import { SessionIdSchema, TenantIdSchema, UserIdSchema } from "./ids.ts";

const CapabilityName = Type.String({
  pattern: "^[a-z]+(\\.[a-z_]+)+$",
  maxLength: 64,
  description: "e.g. model.complete",
});

const AgentName = Type.String({
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "Narrows to what this agent may do",
});
const TokenId = Type.String({ minLength: 1, maxLength: 128 });

/** How often a token can be passed on: the length of its chain of actors. */
export const maxDelegationDepth = 4;
/** Ids of the tokens that one derives from; two for each time that it was passed on, and a session's own. */
export const maxOrigins = 16;
const Origins = Type.Array(TokenId, { minItems: 1, maxItems: maxOrigins, uniqueItems: true });

/** `POST /v1/tokens/issue`; needs a service credential. What is granted is never more than what is asked for. */
export const IssueTokenRequest = Type.Object(
  {
    user_id: UserIdSchema,
    tenant_id: TenantIdSchema,
    capabilities: Type.Array(CapabilityName, { minItems: 1, maxItems: 64, uniqueItems: true }),
    mfa_code: Type.Optional(
      Type.String({ pattern: "^[0-9]{6,8}$", description: "TOTP code of an enrolled user; never logged" }),
    ),
    agent_id: Type.Optional(AgentName),
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
    parent_jti: Type.Optional(
      Type.String({
        pattern: "^[!-~]{1,128}$",
        description: "Id of the token that this one derives from: when that is revoked, this one ends with it",
      }),
    ),
    parent_origins: Type.Optional(
      Type.Array(Type.String({ pattern: "^[!-~]{1,128}$" }), {
        minItems: 1,
        maxItems: maxOrigins - 1,
        uniqueItems: true,
        description: "Claim `origins` of the parent, when it has one",
      }),
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

// Written out and not recursive: the schema itself is what bounds the depth.
const ActorName = Type.String({
  pattern: "^(service:)?[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
  description: "An agent of the tenant, or service:<name> for a service that passed the token on without one",
});
const closed = { additionalProperties: false } as const;
const FirstActor = Type.Object({ sub: ActorName }, closed);
const SecondActor = Type.Object({ sub: ActorName, act: Type.Optional(FirstActor) }, closed);
const ThirdActor = Type.Object({ sub: ActorName, act: Type.Optional(SecondActor) }, closed);
/** Claim `act` (RFC 8693, section 4.1): who acts for the user now, and within it who did before; at most four deep. */
export const Actor = Type.Object({ sub: ActorName, act: Type.Optional(ThirdActor) }, closed);
export type Actor = Type.Static<typeof Actor>;

/** Claims of our access tokens (RFC 9068 profile). */
export const TokenClaims = Type.Object({
  iss: Type.String(),
  sub: UserIdSchema,
  aud: Type.String(),
  jti: TokenId,
  iat: Type.Integer(),
  exp: Type.Integer(),
  tenant_id: TenantIdSchema,
  scope: Type.String({ description: "Granted capabilities, separated by one space" }),
  role: Type.String(),
  agent_id: Type.Optional(Type.String()),
  session_id: Type.Optional(Type.String()),
  step: Type.Optional(Type.String()),
  act: Type.Optional(Actor),
  origins: Type.Optional(Origins),
  amr: Type.Optional(
    Type.Array(Type.String({ enum: ["otp"] }), {
      minItems: 1,
      maxItems: 1,
      description: "`otp`: the user showed a one-time code for this token or for one that it derives from (RFC 8176)",
    }),
  ),
});
export type TokenClaims = Type.Static<typeof TokenClaims>;

/** `POST /v1/tokens/verify`: an access token of ours or an API key. */
export const VerifyTokenRequest = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 8192 }),
    audience: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: "A token for another audience is not valid then" }),
    ),
  },
  { additionalProperties: false },
);

/** Why a token is not valid is said to a service that shows its credential, and to nobody else. */
export const VerifiedToken = Type.Object(
  {
    valid: Type.Boolean(),
    claims: Type.Optional(TokenClaims),
    reason: Type.Optional(Type.Unsafe<TokenRefusal>(Type.String({ enum: tokenRefusals }))),
  },
  { additionalProperties: false },
);
export type VerifiedToken = Type.Static<typeof VerifiedToken>;

/** Exactly one of the two; by `jti` needs a service credential, by `token` its possession is enough. */
export const RevokeTokenRequest = Type.Object(
  {
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 8192 })),
    jti: Type.Optional(TokenId),
  },
  { additionalProperties: false },
);
export type RevokeTokenRequest = Type.Static<typeof RevokeTokenRequest>;

export const RevokedToken = Type.Object({ revoked: Type.Boolean() }, { additionalProperties: false });
export type RevokedToken = Type.Static<typeof RevokedToken>;

/** The one kind of grant that `POST /v1/tokens/exchange` knows (RFC 8693, section 2.1). */
export const tokenExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
/** Names of our tokens (RFC 8693, section 3): they are access tokens, and JWTs. */
export const tokenTypes = [
  "urn:ietf:params:oauth:token-type:access_token",
  "urn:ietf:params:oauth:token-type:jwt",
] as const;
const TokenType = Type.Unsafe<(typeof tokenTypes)[number]>(Type.String({ enum: tokenTypes }));
const TokenText = Type.String({ minLength: 1, maxLength: 8192 });

/**
 * `POST /v1/tokens/exchange` (RFC 8693, section 2.1), as a form or as JSON with the same names; needs a service
 * credential. The user stays, the rights only shrink.
 */
export const ExchangeTokenRequest = Type.Object(
  {
    grant_type: Type.Literal(tokenExchangeGrant),
    subject_token: TokenText,
    subject_token_type: TokenType,
    actor_token: Type.Optional(TokenText),
    actor_token_type: Type.Optional(TokenType),
    audience: Type.String({
      minLength: 1,
      maxLength: 128,
      description: "The one service that may accept the new token",
    }),
    scope: Type.Optional(
      Type.String({
        pattern: "^[a-z]+(\\.[a-z_]+)+( [a-z]+(\\.[a-z_]+)+)*$",
        maxLength: 4160,
        description: "Capabilities, separated by one space; those of the subject token if unset",
      }),
    ),
    requested_token_type: Type.Optional(TokenType),
  },
  closed,
);
export type ExchangeTokenRequest = Type.Static<typeof ExchangeTokenRequest>;

/** RFC 8693, section 2.2.1. */
export const ExchangedToken = Type.Object(
  {
    access_token: TokenText,
    issued_token_type: TokenType,
    token_type: Type.Literal("Bearer"),
    expires_in: Type.Integer({ minimum: 1, description: "Seconds" }),
    scope: Type.String(),
  },
  closed,
);
export type ExchangedToken = Type.Static<typeof ExchangedToken>;

/**
 * `POST /v1/login`: an access token (RFC 9068) of an issuer that the tenant trusts, for one of ours of an hour at most.
 * Open to everybody; the token is what counts.
 */
export const LoginRequest = Type.Object(
  {
    tenant: TenantIdSchema,
    token: Type.String({ minLength: 1, maxLength: 8192, description: "The issuer's access token; never its id token" }),
    scope: Type.Optional(
      Type.String({
        pattern: "^[a-z._]+( [a-z._]+)*$",
        maxLength: 1024,
        description: "What is asked for, separated by one space; all that the role may have unless given",
      }),
    ),
  },
  { additionalProperties: false },
);
export type LoginRequest = Type.Static<typeof LoginRequest>;
