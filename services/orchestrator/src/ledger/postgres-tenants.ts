import type { TenantUsage } from "@soma/contracts/tenant";
import { forgottenAt } from "./idempotency-record.ts";
import type { Query } from "./postgres-database.ts";
import { LostRace } from "./postgres-failure.ts";
import { idempotencyKeyReused } from "./refusals.ts";
import { assertLimit } from "./session-page.ts";
import { integerOf, textOf } from "./stored-row.ts";
import { tenantHeadOf, tenantRowOf, type TenantHead } from "./tenant-head.ts";
import type { TenantPlan } from "./tenant-plan.ts";
import { dayUseOf } from "./tenant-day-row.ts";
import { unusedDay, type DayUse } from "./tenant-days.ts";
import type { TenantRow } from "./tenant-row.ts";
import type { TenantAppend, TenantDay } from "./tenant-store.ts";

/** A tenant, locked until the end of the transaction: what is counted after it is exact. */
export async function lockTenant(query: Query, tenant: string): Promise<TenantHead | undefined> {
  const [row] = await query("SELECT * FROM soma.tenants WHERE tenant = $1 FOR UPDATE", [tenant]);
  return row === undefined ? undefined : tenantHeadOf(row);
}

export async function findTenant(query: Query, tenant: string): Promise<TenantRow | undefined> {
  const [row] = await query("SELECT * FROM soma.tenants WHERE tenant = $1", [tenant]);
  return row === undefined ? undefined : tenantRowOf(row);
}

/** Writes the projection of a plan; the plan's events are to be inserted after it. */
export async function writeTenant(query: Query, { head, events, created }: TenantPlan): Promise<void> {
  const { row, lastHash } = head;
  const { tenant, status, version, last_seq } = row;
  const values = [tenant, status, version, last_seq, lastHash, JSON.stringify(row)];
  if (!created) {
    await query(
      `UPDATE soma.tenants SET status = $2, version = $3, last_seq = $4, last_hash = $5, projection = $6
       WHERE tenant = $1`,
      values,
    );
    return;
  }
  // What the service itself made of a tenant that identity knows is no news to it.
  const announced = events[0]?.event.authn === "service" ? version : 0;
  const inserted = await query(
    `INSERT INTO soma.tenants (tenant, status, version, last_seq, last_hash, projection, announced_version)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING tenant`,
    [...values, announced],
  );
  if (inserted.length === 0) throw new LostRace("another transaction made the tenant");
}

export async function listTenants(
  query: Query,
  reader: "list_tenants" | "unannounced_tenants",
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly TenantRow[]> {
  assertLimit(limit);
  return (await query(`SELECT * FROM soma.${reader}($1, $2)`, [after, limit])).map(tenantRowOf);
}

export async function acknowledgeTenant(query: Query, tenant: string, version: number): Promise<void> {
  await query("UPDATE soma.tenants SET announced_version = greatest(announced_version, $2) WHERE tenant = $1", [
    tenant,
    version,
  ]);
}

export async function usageOf(query: Query, day: TenantDay): Promise<TenantUsage> {
  const [row = {}] = await query(
    `SELECT count(*)::integer AS running FROM soma.sessions
     WHERE tenant = $1 AND status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')`,
    [day.tenant],
  );
  const { spent } = await useOn(query, day);
  return {
    running_sessions: integerOf(row, "running"),
    tokens_today: spent.tokens,
    ...(spent.cost_micros > 0 && { cost_micros_today: spent.cost_micros }),
  };
}

export async function useOn(query: Query, { tenant, day }: TenantDay): Promise<DayUse> {
  const [row] = await query("SELECT * FROM soma.tenant_usage WHERE tenant = $1 AND day = $2", [tenant, day]);
  return row === undefined ? unusedDay : dayUseOf(row);
}

/** What a change with this key came to before. @throws DomainError `IDEMPOTENCY_KEY_REUSED` */
export async function findChange(
  query: Query,
  { change }: TenantAppend,
  tenant: string,
  now: Date,
): Promise<TenantRow | undefined> {
  if (change === undefined) return undefined;
  const [row] = await query(
    "SELECT request_digest, projection FROM soma.tenant_changes WHERE tenant = $1 AND key = $2 AND created_at > $3",
    [tenant, change.key, forgottenAt(now)],
  );
  if (row === undefined) return undefined;
  if (textOf(row, "request_digest") !== change.requestDigest) throw idempotencyKeyReused();
  return tenantRowOf(row);
}

/** The tenant is locked, so that nobody else records the same key meanwhile. */
export async function keepChange(query: Query, { change }: TenantAppend, row: TenantRow, now: Date): Promise<void> {
  if (change === undefined) return;
  await query("DELETE FROM soma.tenant_changes WHERE tenant = $1 AND created_at <= $2", [row.tenant, forgottenAt(now)]);
  await query("INSERT INTO soma.tenant_changes VALUES ($1, $2, $3, $4, $5)", [
    row.tenant,
    change.key,
    change.requestDigest,
    JSON.stringify(row),
    now.toISOString(),
  ]);
}
