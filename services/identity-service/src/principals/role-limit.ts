import { roleCapabilities } from "@soma/contracts/roles";
import { platformTenant, roles, type Capability, type Role } from "@soma/contracts/wire-names";

function limitsOf(accepts: (capability: Capability) => boolean): ReadonlyMap<Role, ReadonlySet<Capability>> {
  return new Map(
    roles.map((role) => [role, new Set<Capability>(roleCapabilities[role].filter((one) => accepts(one)))]),
  );
}

const ofPlatform = limitsOf(() => true);
const ofTenants = limitsOf((capability) => capability !== "platform.manage");
const nothing: ReadonlySet<Capability> = new Set();

/**
 * The most that a role can carry in a tenant, whoever grants it. `platform.manage` reaches into every tenant, so it
 * exists in the platform's own tenant alone.
 */
export function roleLimit(tenant: string, role: Role): ReadonlySet<Capability> {
  return (tenant === platformTenant ? ofPlatform : ofTenants).get(role) ?? nothing;
}
