import type { TokenRefusal } from "@soma/contracts/access";
import { TokenClaims } from "@soma/contracts/identity";
import { jwtVerify } from "jose";
import { Compile } from "typebox/compile";
import { isApiKeyText } from "../api-keys/api-key-text.ts";
import { verifyApiKey, type VerifyKeyDeps } from "../api-keys/verify-api-key.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import type { Principals } from "../principals/principals.ts";
import type { Registry } from "../registry/parse-registry.ts";
import { tokenLimits } from "../token-limits.ts";
import { actorNames, rightsOfActor } from "./actors.ts";
import { grantCapabilities } from "./grant-capabilities.ts";
import { refusalOf } from "./refusal-of.ts";
import { accessTokenType } from "./sign-token.ts";
import { readStrictJws } from "./strict-jws.ts";

export type Verification =
  | { readonly valid: true; readonly claims: TokenClaims }
  | { readonly valid: false; readonly reason: TokenRefusal };

export interface VerifyDeps extends VerifyKeyDeps {
  readonly registry: () => Registry;
  readonly keys: KeyRing;
}

const claimsSchema = Compile(TokenClaims);

/** Judges a token or an API key as of now; without an audience that is the caller's to compare, in the claims. */
export async function verifyToken(deps: VerifyDeps, token: string, audience?: string): Promise<Verification> {
  if (isApiKeyText(token)) {
    const claims = verifyApiKey(deps, token, audience);
    return typeof claims === "string" ? no(claims) : { valid: true, claims };
  }
  const genuine = await readToken(deps, token);
  if (!genuine.valid) return genuine;
  if (audience !== undefined && genuine.claims.aud !== audience) return no("audience");
  if (deps.revocations.isRevokedWithOrigins(genuine.claims)) return no("revoked");
  if (!isStillGranted(deps.principals, genuine.claims)) return no("rights_changed");
  return genuine;
}

/** Whether a token is one of ours and in its time, whatever has become of its rights. */
export async function readToken(
  deps: Pick<VerifyDeps, "keys" | "issuer" | "clock">,
  token: string,
): Promise<Verification> {
  const jws = readStrictJws(token, "ours");
  if (typeof jws === "string") return no(jws);
  // Also for every token of a foreign issuer, its id tokens included: none of its keys is ours.
  const key = deps.keys.find(jws.kid);
  if (!key) return no("unknown_key");
  if (jws.alg !== key.alg) return no("algorithm");
  // jose also takes `application/at+jwt`; we issue one form and accept one form.
  if (jws.typ !== accessTokenType) return no("type");

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
    return no(refusalOf(error));
  }
  if (!claimsSchema.Check(claims)) return no("claims");
  // jose looks at `iat` only together with a maximum age.
  if (claims.iat > Math.floor(nowMs / 1_000) + tokenLimits.leewaySeconds) return no("not_yet_valid");
  return { valid: true, claims };
}

/** Rights only shrink: a token dies with the user, any actor, role or capability that it was issued on. */
function isStillGranted(principals: Principals, claims: TokenClaims): boolean {
  const { tenant_id: tenant, sub, agent_id: agent, act } = claims;
  const user = principals.find(tenant, sub);
  if (user?.role !== claims.role) return false;
  const limits = actorNames(act).map((name) => rightsOfActor(principals, tenant, name));
  if (agent !== undefined) limits.push(principals.rightsOfAgent(tenant, agent));
  const scopes = claims.scope.split(" ");
  return grantCapabilities(scopes, { tenant, ...user }, ...limits).length === scopes.length;
}

function no(reason: TokenRefusal): Verification {
  return { valid: false, reason };
}
