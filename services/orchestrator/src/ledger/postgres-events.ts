import type { AuditEvent } from "@soma/contracts/audit";
import type { TenantEvent } from "@soma/contracts/tenant-events";
import { parseEvent, parseLedgerEvent, type SealedEvent } from "./event-chain.ts";
import type { SessionKey, TailedEvent } from "./ledger.ts";
import type { Query } from "./postgres-database.ts";
import { assertLimit } from "./session-page.ts";
import { integerOf, textOf } from "./stored-row.ts";
import { parseTenantEvent } from "./tenant-chain.ts";

/**
 * Inserts events in their order. The last statement before COMMIT: its trigger takes the lock of the positions, which
 * every other writer then waits for.
 */
export async function insertEvents(query: Query, events: readonly SealedEvent[]): Promise<void> {
  await query(
    `INSERT INTO soma.events (id, tenant, session_id, seq, json)
     SELECT id, tenant, session_id, seq, json
     FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[])
       WITH ORDINALITY AS n (id, tenant, session_id, seq, json, place)
     ORDER BY place`,
    [
      events.map(({ event }) => event.id),
      events.map(({ event }) => event.tenant),
      events.map(({ event }) => event.subject),
      events.map(({ event }) => event.sequence),
      events.map(({ json }) => json),
    ],
  );
}

/** The recorded events of these ids, by id: a session's. */
export async function findEvents(query: Query, ids: readonly string[]): Promise<Map<string, AuditEvent>> {
  return new Map((await findJson(query, ids)).map(([id, json]) => [id, parseEvent(json)]));
}

/** The recorded events of these ids, by id: a tenant's own. */
export async function findTenantEvents(query: Query, ids: readonly string[]): Promise<Map<string, TenantEvent>> {
  return new Map((await findJson(query, ids)).map(([id, json]) => [id, parseTenantEvent(json)]));
}

type Page = SessionKey & { readonly after: number; readonly limit: number };

export async function readEvents(query: Query, page: Page): Promise<readonly AuditEvent[]> {
  return (await readJson(query, page)).map(parseEvent);
}

export async function readTenantEvents(query: Query, page: Page): Promise<readonly TenantEvent[]> {
  return (await readJson(query, page)).map(parseTenantEvent);
}

async function findJson(query: Query, ids: readonly string[]): Promise<[string, string][]> {
  const rows = await query("SELECT id, json FROM soma.events WHERE id = ANY ($1)", [ids]);
  return rows.map((row) => [textOf(row, "id"), textOf(row, "json")]);
}

async function readJson(query: Query, { tenant, sessionId, after, limit }: Page): Promise<readonly string[]> {
  assertLimit(limit);
  const rows = await query(
    "SELECT json FROM soma.events WHERE session_id = $1 AND tenant = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    [sessionId, tenant, after, limit],
  );
  return rows.map((row) => textOf(row, "json"));
}

/** Over all tenants, by the function that may. */
export async function tailEvents(query: Query, afterPosition: number, limit: number): Promise<readonly TailedEvent[]> {
  assertLimit(limit);
  const rows = await query("SELECT position, json FROM soma.tail_events($1, $2)", [afterPosition, limit]);
  return rows.map((row) => {
    const json = textOf(row, "json");
    return { position: integerOf(row, "position"), event: parseLedgerEvent(json), json };
  });
}

export async function lastPosition(query: Query): Promise<number> {
  const [row = {}] = await query("SELECT soma.last_position() AS position");
  return integerOf(row, "position");
}
