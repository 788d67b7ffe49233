import { randomUUID } from "node:crypto";
import type { IssuedToken, LoginRequest, TokenClaims } from "@soma/contracts/identity";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { KeyRing } from "../keys/key-ring.ts";
import type { Principals } from "../principals/principals.ts";
import type { ForeignUserStore } from "../state/foreign-user-store.ts";
import { tokenLimits } from "../token-limits.ts";
import { grantCapabilities } from "../tokens/grant-capabilities.ts";
import { signToken } from "../tokens/sign-token.ts";
import { verifyForeignToken, type ForeignDeps, type ForeignRefusal, type ForeignUser } from "./verify-foreign-token.ts";

export interface LoginDeps extends ForeignDeps {
  readonly foreignUsers: ForeignUserStore;
  readonly principals: Principals;
  readonly keys: KeyRing;
  readonly issuer: string;
}

/** A record that has this much less of its time left is written anew; else a login costs no write. */
const renewSeconds = 600;

/**
 * Exchanges an access token of an issuer that the tenant trusts for one of ours, of an hour: from then on it is a token
 * like any other, with its own id to be revoked by. The same foreign token may come again while it is valid, as an
 * access token may be shown to a service more than once.
 *
 * @returns the token, or why the foreign one is not accepted.
 * @throws DomainError IDENTITY_DENIED when the role can have nothing of the scope that was asked for.
 */
export async function logIn(
  deps: LoginDeps,
  { tenant, token, scope }: LoginRequest,
): Promise<IssuedToken | ForeignRefusal> {
  const vouched = await verifyForeignToken(deps, tenant, token);
  if (typeof vouched === "string") return vouched;
  const now = Math.floor(deps.clock() / 1_000);
  remember(deps, tenant, vouched, now);
  const principal = deps.principals.find(tenant, vouched.user);
  // The tenant ceased to trust the issuer while it was asked for its keys.
  if (principal === undefined) return "issuer";
  const asked = scope === undefined ? [...principal.capabilities] : [...new Set(scope.split(" "))];
  const scopes = grantCapabilities(asked, { tenant, ...principal });
  if (scopes.length === 0)
    throw new DomainError("IDENTITY_DENIED", "Nothing of what was asked for is granted to this user here.");
  const claims: TokenClaims = {
    iss: deps.issuer,
    sub: vouched.user,
    aud: orchestratorAudience,
    jti: randomUUID(),
    iat: now,
    exp: now + tokenLimits.userTtlSeconds,
    tenant_id: tenant,
    scope: scopes.join(" "),
    role: principal.role,
  };
  return { token: await signToken(deps.keys, claims), expires_in: tokenLimits.userTtlSeconds, token_type: "Bearer" };
}

/** So that the steps of his sessions get tokens for as long as a session can go on; a new role counts from now on. */
function remember({ foreignUsers }: LoginDeps, tenant: string, { user, role, issuer }: ForeignUser, now: number): void {
  const expiresAt = now + tokenLimits.lineageSeconds;
  const known = foreignUsers.find(tenant, user);
  const isCurrent = known?.role === role && known.issuer === issuer && known.expiresAt > expiresAt - renewSeconds;
  if (!isCurrent) foreignUsers.put(tenant, user, { issuer, role, expiresAt });
}
