import type { NewEvent } from "@soma/contracts/audit";
import type { Query } from "./postgres-database.ts";
import { findTenant } from "./postgres-tenants.ts";
import { textOf } from "./stored-row.ts";
import { dayUseOf, heldReservationOf } from "./tenant-day-row.ts";
import {
  concernsDays,
  daysConcerned,
  needsQuotas,
  noDays,
  type DayUse,
  type HeldReservation,
  type TenantDays,
} from "./tenant-days.ts";
import { dayOf } from "./tenant-store.ts";

/**
 * As much of the tenant's days as these events can change, locked until the end of the transaction. To be called with
 * their sessions locked, and before anything of a later lock: what is set aside for a session changes with its session
 * alone, and days are locked in their order, so that no two appends wait for each other.
 */
export async function lockTenantDays(
  query: Query,
  tenant: string,
  events: readonly NewEvent[],
  now: Date,
): Promise<TenantDays> {
  const concerned = events.filter(({ type }) => concernsDays(type));
  if (concerned.length === 0) return noDays;
  const sessions = [...new Set(concerned.map(({ session_id }) => session_id))];
  const rows = await query("SELECT * FROM soma.tenant_reservations WHERE tenant = $1 AND session_id = ANY ($2)", [
    tenant,
    sessions,
  ]);
  const held = new Map(rows.map(heldReservationOf).map((one) => [one.effect_key, one]));
  const wanted = daysConcerned(concerned, held, dayOf(now));
  if (wanted.length === 0) return { ...noDays, held };
  const quotas = concerned.some(needsQuotas) ? (await findTenant(query, tenant))?.settings.quotas : undefined;
  return { quotas: quotas ?? {}, held, days: await lockDays(query, tenant, wanted) };
}

/** Writes what changed; the days are locked. */
export async function writeTenantDays(
  query: Query,
  tenant: string,
  before: TenantDays,
  after: TenantDays,
): Promise<void> {
  if (after === before) return;
  const days = [...after.days].filter(([day, use]) => before.days.get(day) !== use);
  if (days.length > 0) await updateDays(query, tenant, days);
  const gone = [...before.held.keys()].filter((effectKey) => !after.held.has(effectKey));
  if (gone.length > 0) {
    await query("DELETE FROM soma.tenant_reservations WHERE tenant = $1 AND effect_key = ANY ($2)", [tenant, gone]);
  }
  const held = [...after.held.values()].filter((one) => before.held.get(one.effect_key) !== one);
  if (held.length > 0) await insertHeld(query, tenant, held);
}

async function lockDays(query: Query, tenant: string, wanted: readonly string[]): Promise<Map<string, DayUse>> {
  const find = () =>
    query("SELECT * FROM soma.tenant_usage WHERE tenant = $1 AND day = ANY ($2) ORDER BY day FOR UPDATE", [
      tenant,
      wanted,
    ]);
  let rows = await find();
  if (rows.length < wanted.length) {
    // The first of a day makes its row; whoever does so at the same time is waited for.
    await query(
      `INSERT INTO soma.tenant_usage (tenant, day, tokens) SELECT $1, day, 0 FROM unnest($2::text[]) AS day
       ON CONFLICT DO NOTHING`,
      [tenant, wanted],
    );
    rows = await find();
  }
  return new Map(rows.map((row) => [textOf(row, "day"), dayUseOf(row)]));
}

async function updateDays(query: Query, tenant: string, days: readonly (readonly [string, DayUse])[]): Promise<void> {
  await query(
    `UPDATE soma.tenant_usage u SET tokens = n.tokens, cost_micros = n.cost_micros,
       reserved_tokens = n.reserved_tokens, reserved_cost_micros = n.reserved_cost_micros
     FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
       AS n (day, tokens, cost_micros, reserved_tokens, reserved_cost_micros)
     WHERE u.tenant = $1 AND u.day = n.day`,
    [
      tenant,
      days.map(([day]) => day),
      days.map(([, { spent }]) => spent.tokens),
      days.map(([, { spent }]) => spent.cost_micros),
      days.map(([, { reserved }]) => reserved.tokens),
      days.map(([, { reserved }]) => reserved.cost_micros),
    ],
  );
}

async function insertHeld(query: Query, tenant: string, held: readonly HeldReservation[]): Promise<void> {
  await query(
    `INSERT INTO soma.tenant_reservations (tenant, effect_key, session_id, day, tokens, cost_micros)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
     ON CONFLICT (tenant, effect_key) DO UPDATE
     SET day = excluded.day, tokens = excluded.tokens, cost_micros = excluded.cost_micros`,
    [
      tenant,
      held.map(({ effect_key }) => effect_key),
      held.map(({ session_id }) => session_id),
      held.map(({ day }) => day),
      held.map(({ amount }) => amount.tokens),
      held.map(({ amount }) => amount.cost_micros),
    ],
  );
}
