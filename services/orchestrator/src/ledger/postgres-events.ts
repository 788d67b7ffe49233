import type { AuditEvent } from "@soma/contracts/audit";
import { parseEvent, type SealedEvent } from "./event-chain.ts";
import type { SessionKey, TailedEvent } from "./ledger.ts";
import type { Query } from "./postgres-database.ts";
import { assertLimit } from "./session-page.ts";
import { integerOf, textOf } from "./stored-row.ts";

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

/** The recorded events of these ids, by id. */
export async function findEvents(query: Query, ids: readonly string[]): Promise<Map<string, AuditEvent>> {
  const rows = await query("SELECT id, json FROM soma.events WHERE id = ANY ($1)", [ids]);
  return new Map(rows.map((row) => [textOf(row, "id"), parseEvent(textOf(row, "json"))]));
}

export async function readEvents(
  query: Query,
  { tenant, sessionId, after, limit }: SessionKey & { after: number; limit: number },
): Promise<readonly AuditEvent[]> {
  assertLimit(limit);
  const rows = await query(
    "SELECT json FROM soma.events WHERE session_id = $1 AND tenant = $2 AND seq > $3 ORDER BY seq LIMIT $4",
    [sessionId, tenant, after, limit],
  );
  return rows.map((row) => parseEvent(textOf(row, "json")));
}

/** Over all tenants, by the function that may. */
export async function tailEvents(query: Query, afterPosition: number, limit: number): Promise<readonly TailedEvent[]> {
  assertLimit(limit);
  const rows = await query("SELECT position, json FROM soma.tail_events($1, $2)", [afterPosition, limit]);
  return rows.map((row) => {
    const json = textOf(row, "json");
    return { position: integerOf(row, "position"), event: parseEvent(json), json };
  });
}

export async function lastPosition(query: Query): Promise<number> {
  const [row = {}] = await query("SELECT soma.last_position() AS position");
  return integerOf(row, "position");
}
