import type { TokenRefusal } from "@soma/contracts/access";
import type { UserId } from "@soma/contracts/ids";
import type { TenantEntry, TrustedIssuer } from "@soma/contracts/tenant";
import type { Role } from "@soma/contracts/wire-names";
import { jwtVerify } from "jose";
import { tokenLimits } from "../token-limits.ts";
import { refusalOf } from "../tokens/refusal-of.ts";
import { readStrictJws } from "../tokens/strict-jws.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import { roleOf, userOf } from "./map-claims.ts";

export interface ForeignDeps {
  readonly tenants: { find(tenant: string): TenantEntry | undefined };
  readonly issuerKeys: IssuerKeys;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Somebody that an issuer which the tenant trusts vouches for, now. */
export interface ForeignUser {
  readonly user: UserId;
  readonly role: Role;
  readonly issuer: string;
}

export type ForeignRefusal = TokenRefusal | "keys_unavailable";

/** Types of an access token (RFC 9068, section 2.1); an id token has another one or none. */
const accessTokenTypes: ReadonlySet<string> = new Set(["at+jwt", "application/at+jwt"]);

/**
 * Judges an access token (RFC 9068) of an issuer that the tenant trusts. Nothing that the token says of itself chooses
 * what it is judged by, except for which of the tenant's issuers and which of that one's keys.
 */
export async function verifyForeignToken(
  deps: ForeignDeps,
  tenant: string,
  token: string,
): Promise<ForeignUser | ForeignRefusal> {
  const jws = readStrictJws(token, "theirs");
  if (typeof jws === "string") return jws;
  const trusted = deps.tenants.find(tenant)?.issuers.find(({ issuer }) => issuer === jws.payload["iss"]);
  if (trusted === undefined) return "issuer";
  const algorithm = trusted.algorithms.find((one) => one === jws.alg);
  if (algorithm === undefined) return "algorithm";
  if (jws.typ === undefined || !accessTokenTypes.has(jws.typ)) return "type";
  const key = await deps.issuerKeys.find(trusted.jwks_uri, jws.kid);
  if (typeof key === "string") return key;
  if (!key.algorithms.has(algorithm)) return "algorithm";
  const now = Math.floor(deps.clock() / 1_000);
  try {
    const { payload } = await jwtVerify(token, key.publicKey, {
      algorithms: [algorithm],
      issuer: trusted.issuer,
      audience: trusted.audience,
      requiredClaims: ["exp", "iat", "jti"],
      clockTolerance: tokenLimits.leewaySeconds,
      currentDate: new Date(now * 1_000),
    });
    return judge(trusted, payload, now);
  } catch (error) {
    return refusalOf(error);
  }
}

function judge(
  trusted: TrustedIssuer,
  claims: Readonly<Record<string, unknown>>,
  now: number,
): ForeignUser | ForeignRefusal {
  const { aud, iat, jti, cnf } = claims;
  // A token for us and for others as well is one that each of them could show here.
  if (Array.isArray(aud) && aud.length !== 1) return "audience";
  if (typeof iat !== "number" || typeof jti !== "string" || jti === "") return "claims";
  if (iat > now + tokenLimits.leewaySeconds) return "not_yet_valid";
  // Bound to a key of its holder (RFC 7800), whose proof is not asked for here: as a bearer token it would be worth more.
  if (cnf !== undefined) return "claims";
  const user = userOf(trusted, claims);
  const role = roleOf(trusted, claims);
  return user === undefined || role === undefined ? "claims" : { user, role, issuer: trusted.issuer };
}
