import { DatabaseSync } from "node:sqlite";
import type { LedgerRow } from "./records.ts";

/** The ledger's database file, read beside the processes that write it. */
export class LedgerFile {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
  }

  /** Sessions that have a workflow, or should, and no end. */
  openSessions(): string[] {
    const ended = "('completed', 'denied', 'failed', 'canceled', 'timed_out')";
    return this.#database
      .prepare(`SELECT session_id FROM sessions WHERE status NOT IN ${ended}`)
      .all()
      .map((row) => String(row["session_id"]));
  }

  rows(): LedgerRow[] {
    return this.#database
      .prepare("SELECT position, id, tenant, session_id, seq, json FROM events ORDER BY position")
      .all()
      .map((row) => ({
        position: Number(row["position"]),
        id: String(row["id"]),
        tenant: String(row["tenant"]),
        session: String(row["session_id"]),
        seq: Number(row["seq"]),
        json: String(row["json"]),
      }));
  }

  close(): void {
    this.#database.close();
  }
}
