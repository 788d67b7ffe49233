import { createLogger } from "@soma/kit/logger";
import { createIdentityTenants } from "../../src/adapters/identity-tenants.ts";
import { createPolicyClient } from "../../src/adapters/policy-client.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { TenantAnnouncer } from "../../src/tenants/tenant-announcer.ts";
import type { TenantDeps } from "../../src/tenants/tenant-deps.ts";
import { TenantSnapshots } from "../../src/tenants/tenant-snapshots.ts";

const nowhere = new URL("http://127.0.0.1:1");

/** What tenants need, with nobody there to decide or to be told: a test that changes no tenant needs no more. */
export function tenantDepsAlone(ledger: Ledger): TenantDeps {
  const log = createLogger("test", "silent");
  const identityTenants = createIdentityTenants(nowhere, "");
  return {
    ledger,
    policy: createPolicyClient(nowhere),
    identityTenants,
    announcer: new TenantAnnouncer({ ledger, identityTenants, log }),
    snapshots: new TenantSnapshots(ledger),
    log,
    now: () => new Date(),
  };
}
