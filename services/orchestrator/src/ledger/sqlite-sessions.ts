import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EventGap } from "@soma/contracts/audit";
import { isTenantId, type Digest, type TenantId } from "@soma/contracts/ids";
import type { SessionKey, SessionQuery, SessionRows, UnendedSession } from "./ledger.ts";
import { sessionNotFound } from "./refusals.ts";
import { gapOfRow, sessionHeadOf, sessionRowOf, type SessionHead } from "./session-head.ts";
import { assertLimit, cursorOf, foreignCursor, sessionIdOfCursor, utcTime } from "./session-page.ts";
import type { SessionProjection } from "./session-row.ts";
import { integerOf, textOf } from "./stored-row.ts";

/** The sessions table: the projection of each session and the columns that lists filter by. */
export class SqliteSessions {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #insertLabel: StatementSync;
  readonly #update: StatementSync;
  readonly #setRunId: StatementSync;
  readonly #find: StatementSync;
  readonly #ordinal: StatementSync;
  readonly #tenant: StatementSync;
  readonly #unended: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      `INSERT INTO sessions (session_id, tenant, user_id, capsule, status, created_at, workflow_id, run_id, last_seq, last_hash, projection)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertLabel = database.prepare("INSERT OR IGNORE INTO session_labels (session_id, label) VALUES (?, ?)");
    this.#update = database.prepare(
      "UPDATE sessions SET status = ?, last_seq = ?, last_hash = ?, projection = ? WHERE session_id = ?",
    );
    this.#setRunId = database.prepare("UPDATE sessions SET run_id = ? WHERE session_id = ? AND tenant = ?");
    this.#find = database.prepare("SELECT * FROM sessions WHERE session_id = ? AND tenant = ?");
    this.#ordinal = database.prepare("SELECT ordinal FROM sessions WHERE session_id = ? AND tenant = ?");
    this.#tenant = database.prepare("SELECT tenant FROM sessions WHERE session_id = ?");
    this.#unended = database.prepare(
      `SELECT ordinal, tenant, session_id FROM sessions
       WHERE ordinal > ? AND status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
       ORDER BY ordinal LIMIT ?`,
    );
  }

  insert({ row, lastHash }: SessionHead): void {
    const { workflow_id, run_id, ...projection } = row;
    const { session_id, tenant, user, capsule, status, created_at, last_seq } = row;
    this.#insert.run(
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
    );
    for (const label of row.labels) this.#insertLabel.run(session_id, label);
  }

  update(projection: SessionProjection, lastHash: Digest): void {
    const { status, last_seq, session_id } = projection;
    this.#update.run(status, last_seq, lastHash, JSON.stringify(projection), session_id);
  }

  setRunId({ tenant, sessionId, runId }: SessionKey & { runId: string }): void {
    if (this.#setRunId.run(runId, sessionId, tenant).changes === 0) {
      throw sessionNotFound();
    }
  }

  find({ tenant, sessionId }: SessionKey): SessionHead | undefined {
    const row = this.#find.get(sessionId, tenant);
    return row === undefined ? undefined : sessionHeadOf(row);
  }

  gapOf({ tenant, sessionId }: SessionKey): EventGap | undefined {
    const row = this.#find.get(sessionId, tenant);
    return row && gapOfRow(row);
  }

  /** Whether any tenant holds the id; the answer is for `SESSION_ID_TAKEN` alone. */
  isTaken(sessionId: string): boolean {
    return this.#tenant.get(sessionId) !== undefined;
  }

  tenantOf(sessionId: string): TenantId | undefined {
    const row = this.#tenant.get(sessionId);
    const tenant = row && textOf(row, "tenant");
    return tenant !== undefined && isTenantId(tenant) ? tenant : undefined;
  }

  unended({ afterOrdinal, limit }: { afterOrdinal: number; limit: number }): UnendedSession[] {
    return this.#unended.all(afterOrdinal, limit).map((row) => ({
      ordinal: integerOf(row, "ordinal"),
      tenant: textOf(row, "tenant"),
      sessionId: textOf(row, "session_id"),
    }));
  }

  list(query: SessionQuery): SessionRows {
    assertLimit(query.limit);
    const where = ["s.tenant = ?"];
    const values: (string | number)[] = [query.tenant];
    const filter = (condition: string, value: string | number | undefined): void => {
      if (value === undefined) return;
      where.push(condition);
      values.push(value);
    };
    filter("s.status = ?", query.status);
    filter("s.user_id = ?", query.user);
    filter("s.capsule = ?", query.capsule);
    filter("EXISTS (SELECT 1 FROM session_labels l WHERE l.session_id = s.session_id AND l.label = ?)", query.label);
    filter("s.created_at >= ?", query.since === undefined ? undefined : utcTime(query.since));
    filter("s.ordinal < ?", query.cursor === undefined ? undefined : this.#ordinalOf(query.tenant, query.cursor));
    const statement = this.#database.prepare(
      `SELECT s.* FROM sessions s WHERE ${where.join(" AND ")} ORDER BY s.ordinal DESC LIMIT ?`,
    );
    // One more than asked for says whether a next page exists.
    const found = statement.all(...values, query.limit + 1).map(sessionRowOf);
    const rows = found.slice(0, query.limit);
    const last = rows.at(-1);
    return found.length > rows.length && last !== undefined
      ? { rows, nextCursor: cursorOf(last.session_id) }
      : { rows };
  }

  #ordinalOf(tenant: string, cursor: string): number {
    const row = this.#ordinal.get(sessionIdOfCursor(cursor), tenant);
    const ordinal = row?.["ordinal"];
    if (typeof ordinal !== "number") throw foreignCursor();
    return ordinal;
  }
}
