import type { Capability } from "@soma/contracts/wire-names";
import { platformTenant } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { requireScope, type Caller } from "./principal.ts";

/** Somebody whose token says who he is: nobody else reads or changes tenants, on loopback neither. */
export type Manager = Extract<Caller, { authn: "token" }>;

/** @throws DomainError FORBIDDEN for a caller without a token */
export function requireManager(caller: Caller): Manager {
  if (caller.authn === "token") return caller;
  throw new DomainError("FORBIDDEN", "This takes a token, on loopback, too.");
}

/** True for an admin of the installation: of its own tenant, with the scope. */
export function managesPlatform({ tenant, scopes }: Manager): boolean {
  return tenant === platformTenant && scopes.includes("platform.manage");
}

/** @throws DomainError FORBIDDEN */
export function requirePlatform(manager: Manager): void {
  if (!managesPlatform(manager))
    throw new DomainError("FORBIDDEN", "This takes platform.manage, and a token of the installation's own tenant.");
}

/**
 * Lets the installation's admins pass, and who has the scope; whose tenant it is, is `findTenant`'s to judge.
 *
 * @throws DomainError FORBIDDEN
 */
export function requireReach(manager: Manager, scope: Capability): void {
  if (!managesPlatform(manager)) requireScope(manager, scope);
}
