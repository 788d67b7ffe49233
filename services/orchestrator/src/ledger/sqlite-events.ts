import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AuditEvent } from "@soma/contracts/audit";
import type { TenantEvent } from "@soma/contracts/tenant-events";
import { parseEvent, parseLedgerEvent, type SealedEvent } from "./event-chain.ts";
import type { SessionKey, TailedEvent } from "./ledger.ts";
import { assertLimit } from "./session-page.ts";
import { integerOf, textOf } from "./stored-row.ts";
import { parseTenantEvent } from "./tenant-chain.ts";

type Page = SessionKey & { readonly after: number; readonly limit: number };

/** The events table: insert and read, there is nothing else. */
export class SqliteEvents {
  readonly #insert: StatementSync;
  readonly #byId: StatementSync;
  readonly #bySession: StatementSync;
  readonly #byPosition: StatementSync;
  readonly #last: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare("INSERT INTO events (id, tenant, session_id, seq, json) VALUES (?, ?, ?, ?, ?)");
    this.#byId = database.prepare("SELECT json FROM events WHERE id = ?");
    this.#bySession = database.prepare(
      "SELECT json FROM events WHERE session_id = ? AND tenant = ? AND seq > ? ORDER BY seq LIMIT ?",
    );
    this.#byPosition = database.prepare(
      "SELECT position, json FROM events WHERE position > ? ORDER BY position LIMIT ?",
    );
    this.#last = database.prepare("SELECT coalesce(max(position), 0) AS position FROM events");
  }

  insert({ event, json }: SealedEvent): void {
    this.#insert.run(event.id, event.tenant, event.subject, event.sequence, json);
  }

  /** An id holds the tenant in its digest, so that it cannot find another tenant's event. */
  find(id: string): AuditEvent | undefined {
    const row = this.#byId.get(id);
    return row === undefined ? undefined : parseEvent(textOf(row, "json"));
  }

  findOfTenant(id: string): TenantEvent | undefined {
    const row = this.#byId.get(id);
    return row === undefined ? undefined : parseTenantEvent(textOf(row, "json"));
  }

  read(page: Page): readonly AuditEvent[] {
    return this.#read(page).map(parseEvent);
  }

  readOfTenant(page: Page): readonly TenantEvent[] {
    return this.#read(page).map(parseTenantEvent);
  }

  tail(afterPosition: number, limit: number): readonly TailedEvent[] {
    assertLimit(limit);
    return this.#byPosition.all(afterPosition, limit).map((row) => {
      const json = textOf(row, "json");
      return { position: integerOf(row, "position"), event: parseLedgerEvent(json), json };
    });
  }

  lastPosition(): number {
    const row = this.#last.get();
    return row === undefined ? 0 : integerOf(row, "position");
  }

  #read({ tenant, sessionId, after, limit }: Page): readonly string[] {
    assertLimit(limit);
    return this.#bySession.all(sessionId, tenant, after, limit).map((row) => textOf(row, "json"));
  }
}
