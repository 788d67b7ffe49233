import { HopClaims, hopIssuer, hopLimits, hopTokenType, type HopRefusal } from "@soma/contracts/hop";
import type { Digest } from "@soma/contracts/ids";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import { sha256 } from "@soma/kit/digest";
import { decodeProtectedHeader, errors, jwtVerify } from "jose";
import { Value } from "typebox/value";
import type { GatewayKeys } from "./gateway-keys.ts";
import type { UsedHops } from "./used-hops.ts";

/** What of a request a hop token is bound to, but for the body, which comes later. */
interface RequestHead {
  readonly method: string;
  /** The request target as it came, query included. */
  readonly path: string;
  readonly authorization: string | undefined;
}

interface HopDeps {
  readonly keys: GatewayKeys;
  readonly used: UsedHops;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Why a hop token does not count. */
export class HopRefused extends Error {
  override readonly name = "HopRefused";
  readonly reason: HopRefusal;
  constructor(reason: HopRefusal, cause?: unknown) {
    super(`hop token: ${reason}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/**
 * Checks that a known gateway signed this very request within the last seconds and that it comes for the first time.
 * @returns the digest that the body must have.
 * @throws HopRefused
 */
export async function verifyHop(deps: HopDeps, token: string, head: RequestHead): Promise<Digest> {
  const claims = await readClaims(deps, token);
  if (claims.exp - claims.iat > hopLimits.lifeSeconds) throw new HopRefused("claims");
  if (claims.method !== head.method) throw new HopRefused("method");
  if (claims.path !== head.path) throw new HopRefused("path");
  if (claims.authorization_digest !== sha256(head.authorization ?? "")) throw new HopRefused("authorization");
  // Last: only what is right in all else uses an id up.
  if (!deps.used.use(claims.jti)) throw new HopRefused("replayed");
  return claims.body_digest;
}

async function readClaims({ keys, now }: HopDeps, token: string): Promise<HopClaims> {
  try {
    const key = await keys.find(decodeProtectedHeader(token).kid ?? "");
    if (key === undefined) throw new HopRefused("unknown_key");
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["EdDSA"],
      typ: hopTokenType,
      issuer: hopIssuer,
      audience: orchestratorAudience,
      clockTolerance: hopLimits.leewaySeconds,
      maxTokenAge: hopLimits.lifeSeconds,
      currentDate: new Date(now()),
    });
    if (!Value.Check(HopClaims, payload)) throw new HopRefused("claims");
    return payload;
  } catch (error) {
    throw error instanceof HopRefused ? error : new HopRefused(reasonOf(error), error);
  }
}

function reasonOf(error: unknown): HopRefusal {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === "iat" && error.reason === "check_failed" ? "expired" : "claims";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  return "malformed";
}
