import type { PostgresDatabase } from "./postgres-database.ts";
import { tailEvents } from "./postgres-events.ts";
import type { DeadLetter, RelayBacklog, RelayHolder, RelayLease, RelayStore } from "./relay-store.ts";
import { integerOf } from "./stored-row.ts";

/** Runs a call within the ledger's limits of number and time. */
type Call = <T>(work: () => Promise<T>) => Promise<T>;

export class PostgresRelay implements RelayStore {
  readonly #database: PostgresDatabase;
  readonly #call: Call;

  constructor(database: PostgresDatabase, call: Call) {
    this.#database = database;
    this.#call = call;
  }

  acquire({ holder, leaseMs }: { holder: string; leaseMs: number }): Promise<RelayLease | undefined> {
    return this.#call(() =>
      this.#database.withoutTenant(async (query) => {
        // clock_timestamp() and not now(): who has waited for the row's lock must not judge by the time before.
        // An end far ahead was written before the clock stepped back: it must not keep everybody out for as long.
        const [row] = await query(
          `UPDATE soma.relay SET token = token + (holder IS DISTINCT FROM $1)::integer, holder = $1,
             expires_at = clock_timestamp() + make_interval(secs => $2)
           WHERE holder IS NULL OR holder = $1 OR expires_at <= clock_timestamp()
             OR expires_at > clock_timestamp() + 2 * make_interval(secs => $2)
           RETURNING token, cursor`,
          [holder, leaseMs / 1000],
        );
        return row && { token: integerOf(row, "token"), cursor: integerOf(row, "cursor") };
      }),
    );
  }

  advance(input: RelayHolder & { to: number; deadLetters: readonly DeadLetter[] }): Promise<boolean> {
    const { holder, token, to, deadLetters } = input;
    return this.#call(() =>
      this.#database.withoutTenant(async (query) => {
        const moved = await query(
          "UPDATE soma.relay SET cursor = $1 WHERE holder = $2 AND token = $3 RETURNING cursor",
          [to, holder, token],
        );
        if (moved.length === 0) return false;
        for (const { position, eventId, bytes } of deadLetters)
          await query("INSERT INTO soma.dead_letters VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
            position,
            eventId,
            bytes,
          ]);
        return true;
      }),
    );
  }

  release({ holder, token }: RelayHolder): Promise<void> {
    return this.#call(() =>
      this.#database.withoutTenant(async (query) => {
        await query("UPDATE soma.relay SET holder = NULL WHERE holder = $1 AND token = $2", [holder, token]);
      }),
    );
  }

  backlog(): Promise<RelayBacklog> {
    return this.#call(() =>
      this.#database.withoutTenant(async (query) => {
        const [row = {}] = await query("SELECT cursor, soma.last_position() AS newest FROM soma.relay");
        const cursor = integerOf(row, "cursor");
        const [oldest] = await tailEvents(query, cursor, 1);
        return {
          cursor,
          newest: integerOf(row, "newest"),
          ...(oldest !== undefined && { oldestTime: oldest.event.time }),
        };
      }),
    );
  }
}
