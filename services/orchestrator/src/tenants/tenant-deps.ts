import type { Logger } from "@soma/kit/logger";
import type { IdentityTenants } from "../adapters/identity-tenants.ts";
import type { PolicyClient } from "../adapters/policy-client.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { TenantAnnouncer } from "./tenant-announcer.ts";
import type { TenantSnapshots } from "./tenant-snapshots.ts";

/** What the use cases of tenants and their keys need. */
export interface TenantDeps {
  readonly ledger: Pick<Ledger, "tenants">;
  readonly policy: Pick<PolicyClient, "evaluate">;
  readonly identityTenants: IdentityTenants;
  readonly announcer: Pick<TenantAnnouncer, "announce">;
  readonly snapshots: TenantSnapshots;
  readonly log: Logger;
  now(): Date;
}
