import type { DatabaseSync } from "node:sqlite";
import type {
  ContentKeyStore,
  KeyHolder,
  NewContentKey,
  StoredContentKey,
  WrappedKey,
} from "../contents/content-key-store.ts";
import type { Subject } from "../contents/subject.ts";
import { DomainError } from "@soma/kit/domain-error";
import { contentKeyColumns, contentKeyOf, keyHolderOf } from "./content-key-row.ts";
import { truncateLog } from "./sqlite-file.ts";
import { textOf } from "./stored-row.ts";

/** How the ledger runs work on its file: with others in one commit, or outside a transaction. */
export interface SqliteAccess {
  write<T>(work: () => T): Promise<T>;
  read<T>(work: () => T): Promise<T>;
  readonly now: () => Date;
}

/** Content keys in the SQLite ledger. */
export class SqliteContentKeys implements ContentKeyStore {
  readonly #database: DatabaseSync;
  readonly #access: SqliteAccess;

  constructor(database: DatabaseSync, access: SqliteAccess) {
    this.#database = database;
    this.#access = access;
  }

  findNewest({ tenant, user }: Subject): Promise<StoredContentKey | undefined> {
    return this.#findOne("tenant = ? AND user_id = ? ORDER BY generation DESC LIMIT 1", tenant, user);
  }

  find(tenant: string, keyId: string): Promise<StoredContentKey | undefined> {
    return this.#findOne("tenant = ? AND key_id = ?", tenant, keyId);
  }

  async insert({ keyId, tenant, user, generation, wrapped }: NewContentKey): Promise<void> {
    await this.#access.write(() =>
      this.#database
        .prepare(
          `INSERT INTO content_keys (key_id, tenant, user_id, generation, master_key_id, wrapped, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, user_id, generation) DO NOTHING`,
        )
        .run(keyId, tenant, user, generation, wrapped.masterKeyId, wrapped.bytes, this.#access.now().toISOString()),
    );
  }

  holders(): Promise<readonly KeyHolder[]> {
    const sql = "SELECT tenant, master_key_id, count(*) AS keys FROM content_keys GROUP BY 1, 2 ORDER BY 1, 2";
    return this.#access.read(() => this.#database.prepare(sql).all().map(keyHolderOf));
  }

  list({
    tenant,
    after,
    limit,
  }: {
    tenant: string;
    after: { user: string; generation: number };
    limit: number;
  }): Promise<readonly StoredContentKey[]> {
    return this.#access.read(() =>
      this.#database
        .prepare(
          `SELECT ${contentKeyColumns} FROM content_keys
           WHERE tenant = ? AND (user_id, generation) > (?, ?) ORDER BY user_id, generation LIMIT ?`,
        )
        .all(tenant, after.user, after.generation, limit)
        .map(contentKeyOf),
    );
  }

  async destroy({ tenant, user }: Subject): Promise<readonly string[]> {
    const destroyed = await this.#access.write(() =>
      this.#database
        .prepare(
          `UPDATE content_keys SET wrapped = NULL, master_key_id = NULL, destroyed_at = ?
           WHERE tenant = ? AND user_id = ? AND wrapped IS NOT NULL RETURNING key_id`,
        )
        .all(this.#access.now().toISOString(), tenant, user)
        .map((row) => textOf(row, "key_id")),
    );
    // The write-ahead log still holds the page as it was. Another process that reads just now keeps it for so long.
    if (destroyed.length > 0) await this.#access.read(() => truncateLog(this.#database)).catch(passUnavailable);
    return destroyed;
  }

  rewrap({ keyId, tenant, wrapped: before }: StoredContentKey, wrapped: WrappedKey): Promise<boolean> {
    return this.#access.write(() => {
      const update = this.#database.prepare(
        "UPDATE content_keys SET master_key_id = ?, wrapped = ? WHERE tenant = ? AND key_id = ? AND master_key_id = ?",
      );
      return update.run(wrapped.masterKeyId, wrapped.bytes, tenant, keyId, before?.masterKeyId ?? null).changes === 1;
    });
  }

  requiredMasterKey(first: string): Promise<string> {
    return this.#access.write(() => {
      this.#database.prepare("UPDATE content_encryption SET master_key_id = coalesce(master_key_id, ?)").run(first);
      const row = this.#database.prepare("SELECT master_key_id FROM content_encryption").get();
      return textOf(row ?? {}, "master_key_id");
    });
  }

  async setRequiredMasterKey(masterKeyId: string): Promise<void> {
    await this.#access.write(() =>
      this.#database.prepare("UPDATE content_encryption SET master_key_id = ?").run(masterKeyId),
    );
  }

  #findOne(where: string, ...values: readonly string[]): Promise<StoredContentKey | undefined> {
    return this.#access.read(() => {
      const row = this.#database.prepare(`SELECT ${contentKeyColumns} FROM content_keys WHERE ${where}`).get(...values);
      return row && contentKeyOf(row);
    });
  }
}

function passUnavailable(error: unknown): void {
  if (!(error instanceof DomainError)) throw error;
}
