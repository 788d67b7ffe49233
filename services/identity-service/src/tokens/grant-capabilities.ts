import type { Capability, Role } from "@soma/contracts/wire-names";
import { roleLimit } from "../principals/role-limit.ts";

/** For whom rights are granted. */
export interface Holder {
  readonly tenant: string;
  readonly role: Role;
  readonly capabilities: ReadonlySet<Capability>;
}

/**
 * What of the requested capabilities is granted: those that the user has, that the role can carry, and that every
 * further limit holds – agent, service, actors, the token that it derives from –, in the order of the request. There is
 * no way for a capability into the result except through the request and all of them. Every token that this service
 * issues or accepts went through here.
 */
export function grantCapabilities(
  requested: readonly string[],
  { tenant, role, capabilities }: Holder,
  ...limits: readonly ReadonlySet<string>[]
): string[] {
  const all: readonly ReadonlySet<string>[] = [capabilities, roleLimit(tenant, role), ...limits];
  return requested.filter((name) => all.every((limit) => limit.has(name)));
}
