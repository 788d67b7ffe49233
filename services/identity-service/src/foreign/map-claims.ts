import { createHash } from "node:crypto";
import { isUserId, type UserId } from "@soma/contracts/ids";
import type { TrustedIssuer } from "@soma/contracts/tenant";
import { foreignUserPrefix, type Role } from "@soma/contracts/wire-names";

type Claims = Readonly<Record<string, unknown>>;

/**
 * The user that an issuer vouches for, as he is called here: `oidc:<16 hex digits of the issuer's SHA-256>:<claim>`. So
 * nobody from elsewhere is ever a user of the registry, an API key, or the user of another issuer. Undefined when the
 * claim is no text, or one that no user id can be made of.
 */
export function userOf({ issuer, user_claim: claim }: TrustedIssuer, claims: Claims): UserId | undefined {
  const name = ownOf(claims, claim);
  if (typeof name !== "string" || name === "") return undefined;
  const user = `${foreignUserPrefix}${createHash("sha256").update(issuer).digest("hex").slice(0, 16)}:${name}`;
  return isUserId(user) ? user : undefined;
}

/** The role that the claims give here; a value that the tenant did not list gives none. */
export function roleOf(issuer: TrustedIssuer, claims: Claims): Role | undefined {
  const { role_claim: claim, roles, default_role: otherwise } = issuer;
  const value = claim === undefined ? undefined : ownOf(claims, claim);
  const named: readonly unknown[] = Array.isArray(value) ? value : [value];
  const known = new Map(Object.entries(roles));
  for (const name of named) {
    const role = typeof name === "string" ? known.get(name) : undefined;
    if (role !== undefined) return role;
  }
  return otherwise;
}

function ownOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}
