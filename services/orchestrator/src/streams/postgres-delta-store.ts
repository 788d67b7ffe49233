import type { SealedPiece } from "../contents/content-vault.ts";
import { PostgresDatabase } from "../ledger/postgres-database.ts";
import { integerOf } from "../ledger/stored-row.ts";
import type { DeltaStore, StepKey, StoredPiece } from "./delta-store.ts";
import { pieceOf } from "./sqlite-delta-store.ts";

/** Connections of its own, and few: what is written for readers never takes one from the ledger. */
const maxConnections = 2;

/**
 * Opens the store in the ledger's database, whose migrations made its table: an UNLOGGED one, which is not written to the
 * log of the database, is empty after its crash and is not on its replicas.
 */
export function openPostgresDeltaStore(url: string, timeoutMs = 5_000): DeltaStore {
  return new PostgresDeltaStore(new PostgresDatabase({ url, maxConnections, timeoutMs }));
}

class PostgresDeltaStore implements DeltaStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async append(writer: string, pieces: readonly SealedPiece[]): Promise<void> {
    for (const [tenant, own] of Map.groupBy(pieces, (piece) => piece.tenant)) {
      await this.#database.write(tenant, (query) =>
        query(
          `INSERT INTO soma.deltas (tenant, user_id, session_id, step, attempt, start_unit, writer, key_id, sealed)
           SELECT $1, user_id, session_id, step, attempt, start_unit, $2, key_id, sealed
           FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bytea[])
             WITH ORDINALITY AS n (user_id, session_id, step, attempt, start_unit, key_id, sealed, place)
           ORDER BY place`,
          [
            tenant,
            writer,
            own.map(({ user }) => user),
            own.map(({ sessionId }) => sessionId),
            own.map(({ step }) => step),
            own.map(({ attempt }) => attempt),
            own.map(({ offset }) => offset),
            own.map(({ keyId }) => keyId),
            own.map(({ sealed }) => Buffer.from(sealed)),
          ],
        ),
      );
    }
  }

  async tail({ after, notOf, limit }: Parameters<DeltaStore["tail"]>[0]): Promise<readonly StoredPiece[]> {
    const rows = await this.#database.withoutTenant((query) =>
      query("SELECT * FROM soma.tail_deltas($1, $2, $3)", [after, notOf, limit]),
    );
    return rows.map(pieceOf);
  }

  async lastPosition(): Promise<number> {
    const [row = {}] = await this.#database.withoutTenant((query) =>
      query("SELECT soma.last_delta_position() AS position"),
    );
    return integerOf(row, "position");
  }

  async read({ tenant, sessionId }: Omit<StepKey, "step">): Promise<readonly StoredPiece[]> {
    const rows = await this.#database.read(tenant, (query) =>
      query("SELECT * FROM soma.deltas WHERE session_id = $1 AND tenant = $2 ORDER BY position", [sessionId, tenant]),
    );
    return rows.map(pieceOf);
  }

  async remove(steps: readonly StepKey[]): Promise<void> {
    for (const [tenant, own] of Map.groupBy(steps, (step) => step.tenant)) {
      await this.#database.write(tenant, (query) =>
        query(
          `DELETE FROM soma.deltas d USING unnest($2::text[], $3::text[]) AS n (session_id, step)
           WHERE d.session_id = n.session_id AND d.step = n.step AND d.tenant = $1`,
          [tenant, own.map(({ sessionId }) => sessionId), own.map(({ step }) => step)],
        ),
      );
    }
  }

  async prune(before: Date): Promise<void> {
    await this.#database.withoutTenant((query) => query("SELECT soma.prune_deltas($1)", [before]));
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
