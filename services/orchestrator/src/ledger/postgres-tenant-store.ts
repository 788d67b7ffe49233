import type { TenantUsage } from "@soma/contracts/tenant";
import { tenantSubject, type TenantEvent } from "@soma/contracts/tenant-events";
import type { PostgresDatabase, Query } from "./postgres-database.ts";
import { findTenantEvents, insertEvents, readTenantEvents } from "./postgres-events.ts";
import {
  acknowledgeTenant,
  findChange,
  findTenant,
  keepChange,
  listTenants,
  lockTenant,
  usageOf,
  useOn,
  writeTenant,
} from "./postgres-tenants.ts";
import type { DayUse } from "./tenant-days.ts";
import { planTenantAppend, tenantEventIds, tenantOfAppend } from "./tenant-plan.ts";
import type { TenantRow } from "./tenant-row.ts";
import type { TenantAppend, TenantAppended, TenantDay, TenantStore } from "./tenant-store.ts";

interface Access {
  readonly database: PostgresDatabase;
  /** Runs one call to the database, bounded in number and time. */
  readonly call: <T>(work: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
  /** Called after a commit that added events. */
  readonly appended: () => void;
}

export class PostgresTenantStore implements TenantStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async append(input: TenantAppend): Promise<TenantAppended> {
    const tenant = tenantOfAppend(input);
    const { database, call, now, appended } = this.#access;
    const outcome = await call(() => database.write(tenant, (query) => appendTenantIn(query, input, tenant, now)));
    if (!outcome.duplicate) appended();
    return outcome;
  }

  find(tenant: string): Promise<TenantRow | undefined> {
    return this.#read(tenant, (query) => findTenant(query, tenant));
  }

  list(query: { after: string; limit: number }): Promise<readonly TenantRow[]> {
    return this.#readAll((ask) => listTenants(ask, "list_tenants", query));
  }

  readEvents(query: { tenant: string; after: number; limit: number }): Promise<readonly TenantEvent[]> {
    const sessionId = tenantSubject(query.tenant);
    return this.#read(query.tenant, (ask) => readTenantEvents(ask, { ...query, sessionId }));
  }

  usage(query: TenantDay): Promise<TenantUsage> {
    return this.#read(query.tenant, (ask) => usageOf(ask, query));
  }

  useOn(query: TenantDay): Promise<DayUse> {
    return this.#read(query.tenant, (ask) => useOn(ask, query));
  }

  unannounced(query: { after: string; limit: number }): Promise<readonly TenantRow[]> {
    return this.#readAll((ask) => listTenants(ask, "unannounced_tenants", query));
  }

  acknowledge({ tenant, version }: { tenant: string; version: number }): Promise<void> {
    const { database, call } = this.#access;
    return call(() => database.write(tenant, (query) => acknowledgeTenant(query, tenant, version)));
  }

  #read<T>(tenant: string, work: (query: Query) => Promise<T>): Promise<T> {
    const { database, call } = this.#access;
    return call(() => database.read(tenant, work));
  }

  /** Over all tenants, by the functions that may. */
  #readAll<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const { database, call } = this.#access;
    return call(() => database.withoutTenant(work));
  }
}

/** Locks in one order: tenant, key, newest position. */
export async function appendTenantIn(
  query: Query,
  input: TenantAppend,
  tenant: string,
  now: () => Date,
): Promise<TenantAppended> {
  const head = await lockTenant(query, tenant);
  const known = await findChange(query, input, tenant, now());
  if (known !== undefined) return { row: known, duplicate: true };
  const plan = planTenantAppend(input, head, await findTenantEvents(query, tenantEventIds(input)), now);
  if (plan.events.length > 0) await writeTenant(query, plan);
  await keepChange(query, input, plan.head.row, now());
  if (plan.events.length > 0) await insertEvents(query, plan.events);
  return { row: plan.head.row, duplicate: plan.events.length === 0 };
}
