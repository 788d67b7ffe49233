import { Type } from "typebox";
import { DigestSchema } from "./ids.ts";
import { orchestratorAudience } from "./wire-names.ts";

/** Header `typ` of a hop token: no other token of the system can pass for one. */
export const hopTokenType = "soma-hop+jwt";

/** Claim `iss` of every hop token: whose request it was last. */
export const hopIssuer = "gateway";

/** In seconds: the longest life of a hop token, and how far two clocks may be apart. */
export const hopLimits = { lifeSeconds: 10, leewaySeconds: 5 } as const;

/**
 * What the gateway says, signed, of one request that it passes on: that it is this very request and no other. `path` is
 * the request target as it is on the wire, query included; a missing body or `Authorization` is the empty text.
 */
export const HopClaims = Type.Object({
  iss: Type.Literal(hopIssuer),
  aud: Type.Literal(orchestratorAudience),
  jti: Type.String({ pattern: "^[A-Za-z0-9_-]{16,64}$", description: "Counts once" }),
  iat: Type.Integer(),
  exp: Type.Integer(),
  method: Type.String({ pattern: "^[A-Z]{3,10}$" }),
  path: Type.String({ pattern: "^/", maxLength: 16_384 }),
  body_digest: DigestSchema,
  authorization_digest: DigestSchema,
});
export type HopClaims = Type.Static<typeof HopClaims>;

/** Why a hop token does not count: a class for metrics and the log, never an answer to who sent it. */
export const hopRefusals = [
  "missing",
  "malformed",
  "unknown_key",
  "signature",
  "expired",
  "claims",
  "method",
  "path",
  "authorization",
  "body",
  "replayed",
] as const;
export type HopRefusal = (typeof hopRefusals)[number];
