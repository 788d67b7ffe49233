import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Digest } from "@soma/contracts/ids";
import type { SealedContent } from "../contents/content-vault.ts";
import type { Subject } from "../contents/subject.ts";
import { bytesOf, textOf } from "./stored-row.ts";

/** Encrypted texts and blobs by subject and digest. */
export class SqliteContents {
  readonly #insert: StatementSync;
  readonly #find: StatementSync;

  constructor(database: DatabaseSync) {
    // The same text of the same subject again is the same content.
    this.#insert = database.prepare(
      "INSERT INTO contents (tenant, user_id, digest, media_type, key_id, sealed) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    this.#find = database.prepare(
      "SELECT key_id, sealed FROM contents WHERE tenant = ? AND user_id = ? AND digest = ?",
    );
  }

  insert({ tenant, user, digest, mediaType, keyId, sealed }: SealedContent): void {
    this.#insert.run(tenant, user, digest, mediaType, keyId, sealed);
  }

  find({ tenant, user }: Subject, digest: Digest): Omit<SealedContent, "mediaType"> | undefined {
    const row = this.#find.get(tenant, user, digest);
    return row && { tenant, user, digest, keyId: textOf(row, "key_id"), sealed: bytesOf(row, "sealed") };
  }
}
