import type { DatabaseSync, StatementSync } from "node:sqlite";
import { parseLedgerEvent } from "./event-chain.ts";
import type { DeadLetter, RelayBacklog, RelayHolder, RelayLease, RelayStore } from "./relay-store.ts";
import { integerOf, textOf } from "./stored-row.ts";

/** How the ledger runs work on its database: writes in its transactions, reads outside. */
interface Access {
  write<T>(work: () => T): Promise<T>;
  read<T>(work: () => T): Promise<T>;
}

const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

export class SqliteRelay implements RelayStore {
  readonly #access: Access;
  readonly #acquire: StatementSync;
  readonly #advance: StatementSync;
  readonly #bury: StatementSync;
  readonly #release: StatementSync;
  readonly #backlog: StatementSync;

  constructor(database: DatabaseSync, access: Access) {
    this.#access = access;
    // An end far ahead was written before the clock stepped back: it must not keep everybody out for as long.
    this.#acquire = database.prepare(
      `UPDATE relay SET token = token + (holder IS NOT :holder), holder = :holder, expires_at = ${now} + :leaseMs
       WHERE holder IS NULL OR holder = :holder OR expires_at <= ${now} OR expires_at > ${now} + 2 * :leaseMs
       RETURNING token, cursor`,
    );
    this.#advance = database.prepare("UPDATE relay SET cursor = ? WHERE holder = ? AND token = ?");
    this.#bury = database.prepare("INSERT INTO dead_letters VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    this.#release = database.prepare("UPDATE relay SET holder = NULL WHERE holder = ? AND token = ?");
    this.#backlog = database.prepare(
      `SELECT cursor, (SELECT coalesce(max(position), 0) FROM events) AS newest,
         (SELECT json FROM events WHERE position > cursor ORDER BY position LIMIT 1) AS oldest
       FROM relay`,
    );
  }

  acquire({ holder, leaseMs }: { holder: string; leaseMs: number }): Promise<RelayLease | undefined> {
    return this.#access.write(() => {
      const row = this.#acquire.get({ holder, leaseMs });
      return row && { token: integerOf(row, "token"), cursor: integerOf(row, "cursor") };
    });
  }

  advance(input: RelayHolder & { to: number; deadLetters: readonly DeadLetter[] }): Promise<boolean> {
    const { holder, token, to, deadLetters } = input;
    return this.#access.write(() => {
      if (this.#advance.run(to, holder, token).changes === 0) return false;
      for (const { position, eventId, bytes } of deadLetters) this.#bury.run(position, eventId, bytes);
      return true;
    });
  }

  async release({ holder, token }: RelayHolder): Promise<void> {
    await this.#access.write(() => this.#release.run(holder, token));
  }

  backlog(): Promise<RelayBacklog> {
    return this.#access.read(() => {
      const row = this.#backlog.get() ?? {};
      return {
        cursor: integerOf(row, "cursor"),
        newest: integerOf(row, "newest"),
        ...(row["oldest"] !== null && { oldestTime: parseLedgerEvent(textOf(row, "oldest")).time }),
      };
    });
  }
}
