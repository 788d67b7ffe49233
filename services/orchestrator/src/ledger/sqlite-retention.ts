import type { DatabaseSync } from "node:sqlite";
import { dueSessionOf, retentionEvent, withinBounds } from "./retention-store.ts";
import type { DueSession, RetentionCut, RetentionPass, RetentionStore } from "./retention-store.ts";
import { assertLimit } from "./session-page.ts";
import type { SqliteTenants } from "./sqlite-tenants.ts";

/** How the ledger runs writes on its file. */
interface Access {
  write<T>(work: () => T): Promise<T>;
  readonly now: () => Date;
  /** Called after a commit that added events. */
  readonly appended: () => void;
}

/** An event that no topic could take stays in the ledger alone, and so with its session. */
const due = `
  SELECT s.session_id, e.seq AS cut_to, json_extract(e.json, '$.hash') AS hash
  FROM sessions s JOIN events e ON e.session_id = s.session_id AND e.seq = s.last_seq - 1, relay r
  WHERE s.tenant = ? AND s.ended_at < ? AND s.ended_at IS NOT NULL AND s.cut_to IS NULL
    AND ((r.cursor = 0 AND ? = 0)
      OR r.cursor >= (SELECT l.position FROM events l WHERE l.session_id = s.session_id AND l.seq = s.last_seq))
    AND NOT EXISTS (
      SELECT 1 FROM dead_letters d JOIN events x ON x.position = d.position WHERE x.session_id = s.session_id)
  ORDER BY s.ended_at, s.ordinal LIMIT ?`;

export class SqliteRetention implements RetentionStore {
  readonly #database: DatabaseSync;
  readonly #tenants: SqliteTenants;
  readonly #access: Access;

  constructor(database: DatabaseSync, tenants: SqliteTenants, access: Access) {
    this.#database = database;
    this.#tenants = tenants;
    this.#access = access;
  }

  async apply(pass: RetentionPass): Promise<RetentionCut | undefined> {
    assertLimit(pass.limit);
    const cut = await this.#access.write(() => this.#apply(pass));
    if (cut !== undefined) this.#access.appended();
    return cut;
  }

  #apply(pass: RetentionPass): RetentionCut | undefined {
    const { tenant, before, delivered, limit } = pass;
    const rows = this.#database.prepare(due).all(tenant, before, delivered ? 1 : 0, limit);
    const sessions = withinBounds(rows.map(dueSessionOf));
    if (sessions.length === 0) return undefined;
    const event = retentionEvent(pass, sessions);
    this.#tenants.append({ events: [event] }, tenant, this.#access.now);
    for (const session of sessions) this.#cut(session);
    return { sessions: event.data.sessions, events: event.data.events };
  }

  #cut({ sessionId, cutTo, hash }: DueSession): void {
    this.#database
      .prepare("UPDATE sessions SET cut_to = ?, cut_hash = ? WHERE session_id = ?")
      .run(cutTo, hash, sessionId);
    this.#database.prepare("DELETE FROM events WHERE session_id = ? AND seq <= ?").run(sessionId, cutTo);
    this.#database
      .prepare(
        `DELETE FROM contents WHERE (tenant, user_id, digest) IN (
           SELECT n.tenant, n.user_id, n.digest FROM content_names n WHERE n.session_id = ? AND NOT EXISTS (
             SELECT 1 FROM content_names o WHERE o.tenant = n.tenant AND o.user_id = n.user_id
               AND o.digest = n.digest AND o.session_id <> n.session_id))`,
      )
      .run(sessionId);
    this.#database.prepare("DELETE FROM content_names WHERE session_id = ?").run(sessionId);
  }
}
