import type { TenantUsage } from "@soma/contracts/tenant";
import type { TenantEvent } from "@soma/contracts/tenant-events";
import type { SqliteTenants } from "./sqlite-tenants.ts";
import type { DayUse } from "./tenant-days.ts";
import type { TenantRow } from "./tenant-row.ts";
import { tenantOfAppend } from "./tenant-plan.ts";
import type { TenantAppend, TenantAppended, TenantDay, TenantStore } from "./tenant-store.ts";

/** How the ledger runs work on its database: writes in its transactions, reads outside. */
interface Access {
  write<T>(work: () => T): Promise<T>;
  read<T>(work: () => T): Promise<T>;
  readonly now: () => Date;
  /** Called after a commit that added events. */
  readonly appended: () => void;
}

export class SqliteTenantStore implements TenantStore {
  readonly #tenants: SqliteTenants;
  readonly #access: Access;

  constructor(tenants: SqliteTenants, access: Access) {
    this.#tenants = tenants;
    this.#access = access;
  }

  async append(input: TenantAppend): Promise<TenantAppended> {
    const tenant = tenantOfAppend(input);
    const appended = await this.#access.write(() => this.#tenants.append(input, tenant, this.#access.now));
    if (!appended.duplicate) this.#access.appended();
    return appended;
  }

  find(tenant: string): Promise<TenantRow | undefined> {
    return this.#access.read(() => this.#tenants.find(tenant));
  }

  list(query: { after: string; limit: number }): Promise<readonly TenantRow[]> {
    return this.#access.read(() => this.#tenants.list(query));
  }

  readEvents(query: { tenant: string; after: number; limit: number }): Promise<readonly TenantEvent[]> {
    return this.#access.read(() => this.#tenants.readEvents(query));
  }

  usage(query: TenantDay): Promise<TenantUsage> {
    return this.#access.read(() => this.#tenants.usage(query));
  }

  useOn(query: TenantDay): Promise<DayUse> {
    return this.#access.read(() => this.#tenants.useOn(query));
  }

  unannounced(query: { after: string; limit: number }): Promise<readonly TenantRow[]> {
    return this.#access.read(() => this.#tenants.unannounced(query));
  }

  acknowledge(input: { tenant: string; version: number }): Promise<void> {
    return this.#access.write(() => this.#tenants.acknowledge(input));
  }
}
