import { TokenClaims } from "@soma/contracts/identity";
import { jwtVerify } from "jose";
import { JWSSignatureVerificationFailed, JWTExpired } from "jose/errors";
import { Compile } from "typebox/compile";
import type { KeyRing } from "../keys/key-ring.ts";
import type { Registry } from "../registry/parse-registry.ts";
import type { RevocationStore } from "../state/revocation-store.ts";
import { tokenLimits } from "../token-limits.ts";
import { actorNames, rightsOfActor } from "./actors.ts";
import { grantCapabilities } from "./grant-capabilities.ts";
import { accessTokenType } from "./sign-token.ts";
import { readStrictHeader } from "./strict-jws.ts";

/** Why a token is not valid: a metric's label and a debug line, never an answer. */
const verificationFailures = [
  "malformed",
  "header",
  "unknown_key",
  "signature",
  "expired",
  "claims",
  "revoked",
  "rights_changed",
] as const;
type VerificationFailure = (typeof verificationFailures)[number];

export type Verification =
  | { readonly valid: true; readonly claims: TokenClaims }
  | { readonly valid: false; readonly reason: VerificationFailure };

export interface VerifyDeps {
  readonly registry: () => Registry;
  readonly keys: KeyRing;
  readonly revocations: RevocationStore;
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

const claimsSchema = Compile(TokenClaims);

/** Judges a token as of now; the audience is the caller's to compare, in the claims. */
export async function verifyToken(deps: VerifyDeps, token: string): Promise<Verification> {
  const genuine = await readToken(deps, token);
  if (!genuine.valid) return genuine;
  if (deps.revocations.isRevokedWithOrigins(genuine.claims)) return no("revoked");
  if (!isStillGranted(deps.registry(), genuine.claims)) return no("rights_changed");
  return genuine;
}

/** Whether a token is one of ours and in its time, whatever has become of its rights. */
export async function readToken(
  deps: Pick<VerifyDeps, "keys" | "issuer" | "clock">,
  token: string,
): Promise<Verification> {
  const header = readStrictHeader(token);
  if (typeof header === "string") return no(header);
  const key = deps.keys.find(header.kid);
  if (!key) return no("unknown_key");
  // jose also takes `application/at+jwt`; we issue one form and accept one form.
  if (header.alg !== key.alg || header.typ !== accessTokenType) return no("header");

  const nowMs = deps.clock();
  let claims: unknown;
  try {
    const verified = await jwtVerify(token, key.publicKey, {
      algorithms: [key.alg],
      issuer: deps.issuer,
      clockTolerance: tokenLimits.leewaySeconds,
      currentDate: new Date(nowMs),
    });
    claims = verified.payload;
  } catch (error) {
    // The error carries the token's claims, so nothing of it is passed on.
    if (error instanceof JWTExpired) return no("expired");
    return no(error instanceof JWSSignatureVerificationFailed ? "signature" : "claims");
  }
  if (!claimsSchema.Check(claims)) return no("claims");
  // jose looks at `iat` only together with a maximum age.
  if (claims.iat > Math.floor(nowMs / 1_000) + tokenLimits.leewaySeconds) return no("claims");
  return { valid: true, claims };
}

/** Rights only shrink: a token dies with the user, any actor, role or capability that it was issued on. */
function isStillGranted(registry: Registry, claims: TokenClaims): boolean {
  const tenant = registry.tenants.get(claims.tenant_id);
  const user = tenant?.users.get(claims.sub);
  if (!tenant || user?.role !== claims.role) return false;
  const limits = [user.capabilities];
  for (const name of actorNames(claims.act)) limits.push(rightsOfActor(registry, claims.tenant_id, name));
  if (claims.agent_id !== undefined) limits.push(tenant.agents.get(claims.agent_id) ?? new Set());
  const scopes = claims.scope.split(" ");
  return grantCapabilities(scopes, ...limits).length === scopes.length;
}

function no(reason: VerificationFailure): Verification {
  return { valid: false, reason };
}
