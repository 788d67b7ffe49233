import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Digest } from "@soma/contracts/ids";
import type { SealedContent } from "../contents/content-vault.ts";
import { contentErased } from "../contents/content-erased.ts";
import type { Subject } from "../contents/subject.ts";
import { bytesOf, textOf } from "./stored-row.ts";

/** Encrypted texts and blobs by subject and digest. */
export class SqliteContents {
  readonly #insert: StatementSync;
  readonly #name: StatementSync;
  readonly #find: StatementSync;

  constructor(database: DatabaseSync) {
    // The same text of the same subject again is the same content; of one that was erased nothing is left but this.
    this.#insert = database.prepare(
      `INSERT INTO contents (tenant, user_id, digest, media_type, key_id, sealed) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant, user_id, digest) DO UPDATE
       SET media_type = excluded.media_type, key_id = excluded.key_id, sealed = excluded.sealed
       WHERE (SELECT k.wrapped FROM content_keys k WHERE k.key_id = contents.key_id) IS NULL`,
    );
    this.#name = database.prepare("INSERT INTO content_names VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
    // Whether a key stands is the database's to say: what a process remembers of it is older.
    this.#find = database.prepare(
      `SELECT c.key_id, c.sealed, k.wrapped IS NULL AS erased FROM contents c JOIN content_keys k ON k.key_id = c.key_id
       WHERE c.tenant = ? AND c.user_id = ? AND c.digest = ?`,
    );
  }

  /** @param sessions those that name it */
  insert({ tenant, user, digest, mediaType, keyId, sealed }: SealedContent, sessions: readonly string[]): void {
    this.#insert.run(tenant, user, digest, mediaType, keyId, sealed);
    for (const session of sessions) this.#name.run(session, digest, tenant, user);
  }

  /** @throws DomainError CONTENT_ERASED */
  find({ tenant, user }: Subject, digest: Digest): Omit<SealedContent, "mediaType"> | undefined {
    const row = this.#find.get(tenant, user, digest);
    if (row?.["erased"] === 1) throw contentErased();
    return row && { tenant, user, digest, keyId: textOf(row, "key_id"), sealed: bytesOf(row, "sealed") };
  }
}
