import type { TenantId, UserId } from "@soma/contracts/ids";
import type { AuthenticationKind, Capability, Role } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";

/** The token that somebody showed, and those that it derives from: a session ends when one of them is revoked. */
export interface TokenLineage {
  readonly jti: string;
  readonly origins: readonly string[];
}

/** Who calls, as far as the door knows. With a token tenant and user are fixed; on loopback the request names them. */
export type Caller =
  | {
      readonly authn: "token";
      readonly tenant: TenantId;
      readonly user: UserId;
      readonly role: Role;
      readonly scopes: readonly string[];
      readonly token: TokenLineage;
    }
  | { readonly authn: "unauthenticated-loopback" };

/** Who acts, for certain. */
export interface Principal {
  readonly tenant: TenantId;
  readonly user: UserId;
  readonly role: Role;
  readonly authn: AuthenticationKind;
  readonly token?: TokenLineage;
}

/** Refuses a caller whose token does not carry the scope that the route needs. @throws DomainError FORBIDDEN. */
export function requireScope(caller: Caller, scope: Capability): void {
  if (caller.authn === "token" && !caller.scopes.includes(scope)) {
    throw new DomainError("FORBIDDEN", `The token does not carry the scope ${scope}.`);
  }
}

/**
 * Refuses a caller whose token carries neither of two scopes.
 *
 * @returns whether the first is among them
 * @throws DomainError FORBIDDEN.
 */
export function requireEither(caller: Caller, scope: Capability, other: Capability): boolean {
  if (caller.authn !== "token" || caller.scopes.includes(scope)) return true;
  if (caller.scopes.includes(other)) return false;
  throw new DomainError("FORBIDDEN", `The token carries neither the scope ${scope} nor ${other}.`);
}

/** Refuses a caller whose token has another role than these. @throws DomainError FORBIDDEN. */
export function requireRole(caller: Caller, roles: readonly Role[]): void {
  if (caller.authn === "token" && !roles.includes(caller.role)) {
    throw new DomainError("FORBIDDEN", `The role ${caller.role} may not do this; it takes ${roles.join(" or ")}.`);
  }
}

interface Claim {
  readonly tenant: TenantId | undefined;
  readonly user: UserId | undefined;
}

/**
 * Makes a principal of a caller and of what the body says. With a token the body can only agree (P3).
 * @throws DomainError PRINCIPAL_MISMATCH, or VALIDATION_FAILED when nobody says who it is.
 */
export function resolvePrincipal(caller: Caller, claim: Claim): Principal {
  if (caller.authn === "token") {
    assertAgrees("/tenant", caller.tenant, claim.tenant);
    assertAgrees("/user", caller.user, claim.user);
    const { tenant, user, role, authn, token } = caller;
    return { tenant, user, role, authn, token };
  }
  const missing = [...(claim.tenant === undefined ? ["/tenant"] : []), ...(claim.user === undefined ? ["/user"] : [])];
  if (claim.tenant === undefined || claim.user === undefined) {
    const fields = missing.map((pointer) => ({ pointer, detail: "is required" }));
    throw new DomainError("VALIDATION_FAILED", `${missing.join(" and ")}: required, because no token says who calls.`, {
      fields,
    });
  }
  return { tenant: claim.tenant, user: claim.user, role: "operator", authn: caller.authn };
}

/**
 * The tenant that a read is bound to: the token's, or on loopback the one that the query names, if any.
 * @throws DomainError PRINCIPAL_MISMATCH.
 */
export function resolveTenant(caller: Caller, claimed: TenantId | undefined): TenantId | undefined {
  if (caller.authn !== "token") return claimed;
  assertAgrees("/querystring/tenant", caller.tenant, claimed);
  return caller.tenant;
}

function assertAgrees(pointer: string, known: string, claimed: string | undefined): void {
  if (claimed === undefined || claimed === known) return;
  const detail = "names another principal than the token; leave it out";
  throw new DomainError("PRINCIPAL_MISMATCH", `${pointer} ${detail}.`, { fields: [{ pointer, detail }] });
}
