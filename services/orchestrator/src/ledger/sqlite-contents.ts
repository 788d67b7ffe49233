import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Digest } from "@soma/contracts/ids";
import type { NewContent } from "./content.ts";
import { bytesOf } from "./stored-row.ts";

/** Texts and blobs by tenant and digest. */
export class SqliteContents {
  readonly #insert: StatementSync;
  readonly #find: StatementSync;

  constructor(database: DatabaseSync) {
    // The same text again is the same content.
    this.#insert = database.prepare(
      "INSERT INTO contents (tenant, digest, media_type, bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#find = database.prepare("SELECT bytes FROM contents WHERE tenant = ? AND digest = ?");
  }

  insert({ tenant, digest, mediaType, bytes }: NewContent): void {
    this.#insert.run(tenant, digest, mediaType, bytes);
  }

  find(tenant: string, digest: Digest): Uint8Array | undefined {
    const row = this.#find.get(tenant, digest);
    return row === undefined ? undefined : bytesOf(row, "bytes");
  }
}
