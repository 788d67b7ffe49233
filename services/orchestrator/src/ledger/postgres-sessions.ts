import type { EventGap } from "@soma/contracts/audit";
import { isTenantId, type TenantId } from "@soma/contracts/ids";
import type { SessionKey, SessionQuery, SessionRows, UnendedSession } from "./ledger.ts";
import type { Query } from "./postgres-database.ts";
import { sessionNotFound } from "./refusals.ts";
import { gapOfRow, sessionHeadOf, sessionRowOf, type SessionHead } from "./session-head.ts";
import { assertLimit, cursorOf, foreignCursor, sessionIdOfCursor, utcTime } from "./session-page.ts";
import { integerOf, textOf } from "./stored-row.ts";

/** Inserts a session; false when the id is held, by whichever tenant. Waits for a transaction that is inserting it. */
export async function insertSession(query: Query, { row, lastHash }: SessionHead): Promise<boolean> {
  const { workflow_id, run_id, ...projection } = row;
  const { session_id, tenant, user, capsule, status, created_at, last_seq } = row;
  const inserted = await query(
    `INSERT INTO soma.sessions (session_id, tenant, user_id, capsule, status, created_at, workflow_id, run_id, last_seq, last_hash, projection)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING session_id`,
    [
      session_id,
      tenant,
      user,
      capsule ?? null,
      status,
      created_at,
      workflow_id,
      run_id ?? null,
      last_seq,
      lastHash,
      JSON.stringify(projection),
    ],
  );
  if (inserted.length === 0) return false;
  if (row.labels.length > 0) {
    await query(
      `INSERT INTO soma.session_labels (tenant, session_id, label)
       SELECT $1, $2, label FROM unnest($3::text[]) AS label ON CONFLICT DO NOTHING`,
      [tenant, session_id, row.labels],
    );
  }
  return true;
}

/** Locks sessions until the end of the transaction, in the order of their ids so that no two wait for each other. */
export async function lockSessions(
  query: Query,
  tenant: string,
  sessionIds: readonly string[],
): Promise<Map<string, SessionHead>> {
  const rows = await query(
    "SELECT * FROM soma.sessions WHERE session_id = ANY ($1) AND tenant = $2 ORDER BY session_id FOR UPDATE",
    [sessionIds, tenant],
  );
  return new Map(rows.map((row) => [textOf(row, "session_id"), sessionHeadOf(row)]));
}

export async function updateSessions(query: Query, heads: readonly SessionHead[]): Promise<void> {
  const columns = heads.map(({ row: { workflow_id: _workflow, run_id: _run, ...projection }, lastHash }) => ({
    projection,
    lastHash,
  }));
  await query(
    `UPDATE soma.sessions s SET status = n.status, last_seq = n.last_seq, last_hash = n.last_hash, projection = n.projection
     FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[])
       AS n (session_id, status, last_seq, last_hash, projection)
     WHERE s.session_id = n.session_id AND s.session_id = ANY ($1)`,
    [
      columns.map(({ projection }) => projection.session_id),
      columns.map(({ projection }) => projection.status),
      columns.map(({ projection }) => projection.last_seq),
      columns.map(({ lastHash }) => lastHash),
      columns.map(({ projection }) => JSON.stringify(projection)),
    ],
  );
}

export async function setRunId(
  query: Query,
  { tenant, sessionId, runId }: SessionKey & { runId: string },
): Promise<void> {
  const updated = await query(
    "UPDATE soma.sessions SET run_id = $1 WHERE session_id = $2 AND tenant = $3 RETURNING session_id",
    [runId, sessionId, tenant],
  );
  if (updated.length === 0) throw sessionNotFound();
}

export async function findSession(query: Query, { tenant, sessionId }: SessionKey): Promise<SessionHead | undefined> {
  const [row] = await query("SELECT * FROM soma.sessions WHERE session_id = $1 AND tenant = $2", [sessionId, tenant]);
  return row === undefined ? undefined : sessionHeadOf(row);
}

export async function findGap(query: Query, { tenant, sessionId }: SessionKey): Promise<EventGap | undefined> {
  const [row] = await query("SELECT cut_to, cut_hash FROM soma.sessions WHERE session_id = $1 AND tenant = $2", [
    sessionId,
    tenant,
  ]);
  return row && gapOfRow(row);
}

/** Over all tenants, by the function that may. */
export async function findTenantOf(query: Query, sessionId: string): Promise<TenantId | undefined> {
  const [row] = await query("SELECT soma.tenant_of($1) AS tenant", [sessionId]);
  const tenant = row?.["tenant"];
  return typeof tenant === "string" && isTenantId(tenant) ? tenant : undefined;
}

/** Over all tenants, by the function that may. */
export async function listUnendedSessions(
  query: Query,
  { afterOrdinal, limit }: { readonly afterOrdinal: number; readonly limit: number },
): Promise<readonly UnendedSession[]> {
  const rows = await query("SELECT * FROM soma.unended_sessions($1, $2)", [afterOrdinal, limit]);
  return rows.map((row) => ({
    ordinal: integerOf(row, "ordinal"),
    tenant: textOf(row, "tenant"),
    sessionId: textOf(row, "session_id"),
  }));
}

export async function listSessions(query: Query, wanted: SessionQuery): Promise<SessionRows> {
  assertLimit(wanted.limit);
  const values: (string | number)[] = [wanted.tenant];
  const where = ["s.tenant = $1"];
  const filter = (condition: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    values.push(value);
    where.push(condition.replace("?", `$${values.length}`));
  };
  filter("s.status = ?", wanted.status);
  filter("s.user_id = ?", wanted.user);
  filter("s.capsule = ?", wanted.capsule);
  filter(
    "EXISTS (SELECT 1 FROM soma.session_labels l WHERE l.session_id = s.session_id AND l.label = ?)",
    wanted.label,
  );
  filter("s.created_at >= ?", wanted.since === undefined ? undefined : utcTime(wanted.since));
  filter(
    "s.ordinal < ?",
    wanted.cursor === undefined ? undefined : await ordinalOf(query, wanted.tenant, wanted.cursor),
  );
  // One more than asked for says whether a next page exists.
  values.push(wanted.limit + 1);
  const found = await query(
    `SELECT s.* FROM soma.sessions s WHERE ${where.join(" AND ")} ORDER BY s.ordinal DESC LIMIT $${values.length}`,
    values,
  );
  const rows = found.slice(0, wanted.limit).map(sessionRowOf);
  const last = rows.at(-1);
  return found.length > rows.length && last !== undefined ? { rows, nextCursor: cursorOf(last.session_id) } : { rows };
}

async function ordinalOf(query: Query, tenant: string, cursor: string): Promise<number> {
  const [row] = await query("SELECT ordinal FROM soma.sessions WHERE session_id = $1 AND tenant = $2", [
    sessionIdOfCursor(cursor),
    tenant,
  ]);
  if (row === undefined) throw foreignCursor();
  return integerOf(row, "ordinal");
}
