import type { PostgresAccess } from "./postgres-content-keys.ts";
import type { Query } from "./postgres-database.ts";
import { appendTenantIn } from "./postgres-tenant-store.ts";
import { lockTenant } from "./postgres-tenants.ts";
import { dueSessionOf, retentionEvent, withinBounds } from "./retention-store.ts";
import type { DueSession, RetentionCut, RetentionPass, RetentionStore } from "./retention-store.ts";
import { assertLimit } from "./session-page.ts";

interface Access extends PostgresAccess {
  /** Called after a commit that added events. */
  readonly appended: () => void;
}

/** An event that no topic could take stays in the ledger alone, and so with its session. */
const due = `
  SELECT s.session_id, e.seq AS cut_to, e.json::jsonb ->> 'hash' AS hash
  FROM soma.sessions s JOIN soma.events e ON e.session_id = s.session_id AND e.seq = s.last_seq - 1, soma.relay r
  WHERE s.tenant = $1 AND s.ended_at < $2 AND s.ended_at IS NOT NULL AND s.cut_to IS NULL
    AND ((r.cursor = 0 AND NOT $3::boolean)
      OR r.cursor >= (SELECT l.position FROM soma.events l WHERE l.session_id = s.session_id AND l.seq = s.last_seq))
    AND NOT EXISTS (
      SELECT 1 FROM soma.dead_letters d JOIN soma.events x ON x.position = d.position
      WHERE x.session_id = s.session_id)
  ORDER BY s.ended_at, s.ordinal LIMIT $4`;

export class PostgresRetention implements RetentionStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async apply(pass: RetentionPass): Promise<RetentionCut | undefined> {
    assertLimit(pass.limit);
    const { database, call, now, appended } = this.#access;
    const cut = await call(() => database.write(pass.tenant, (query) => applyIn(query, pass, now)));
    if (cut !== undefined) appended();
    return cut;
  }
}

/** The tenant's lock comes first: whoever does the same waits, and then finds these sessions cut. */
async function applyIn(query: Query, pass: RetentionPass, now: () => Date): Promise<RetentionCut | undefined> {
  const { tenant, before, delivered, limit } = pass;
  await lockTenant(query, tenant);
  const sessions = withinBounds((await query(due, [tenant, before, delivered, limit])).map(dueSessionOf));
  if (sessions.length === 0) return undefined;
  const event = retentionEvent(pass, sessions);
  await cutIn(query, sessions);
  // Last, because its insert takes the lock of the positions; it is one transaction.
  await appendTenantIn(query, { events: [event] }, tenant, now);
  return { sessions: event.data.sessions, events: event.data.events };
}

async function cutIn(query: Query, sessions: readonly DueSession[]): Promise<void> {
  const ids = sessions.map(({ sessionId }) => sessionId);
  const ends = sessions.map(({ cutTo }) => cutTo);
  await query(
    `UPDATE soma.sessions s SET cut_to = n.cut_to, cut_hash = n.hash
     FROM unnest($1::text[], $2::integer[], $3::text[]) AS n (session_id, cut_to, hash)
     WHERE s.session_id = n.session_id`,
    [ids, ends, sessions.map(({ hash }) => hash)],
  );
  await query(
    `DELETE FROM soma.events e USING unnest($1::text[], $2::integer[]) AS n (session_id, cut_to)
     WHERE e.session_id = n.session_id AND e.seq <= n.cut_to`,
    [ids, ends],
  );
  // Locked first and judged after: a session that begins to name one of them meanwhile waits here, or is waited for.
  await query(
    `SELECT 1 AS locked FROM soma.contents c WHERE (c.tenant, c.user_id, c.digest) IN (
       SELECT n.tenant, n.user_id, n.digest FROM soma.content_names n WHERE n.session_id = ANY ($1))
     ORDER BY c.digest, c.user_id FOR UPDATE`,
    [ids],
  );
  await query(
    `DELETE FROM soma.contents c WHERE (c.tenant, c.user_id, c.digest) IN (
       SELECT n.tenant, n.user_id, n.digest FROM soma.content_names n
       WHERE n.session_id = ANY ($1) AND NOT EXISTS (
         SELECT 1 FROM soma.content_names o WHERE o.tenant = n.tenant AND o.user_id = n.user_id
           AND o.digest = n.digest AND o.session_id <> ALL ($1)))`,
    [ids],
  );
  await query("DELETE FROM soma.content_names WHERE session_id = ANY ($1)", [ids]);
}
