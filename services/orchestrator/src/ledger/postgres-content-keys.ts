import type {
  ContentKeyStore,
  KeyHolder,
  NewContentKey,
  StoredContentKey,
  WrappedKey,
} from "../contents/content-key-store.ts";
import type { Subject } from "../contents/subject.ts";
import { contentKeyColumns, contentKeyOf, keyHolderOf } from "./content-key-row.ts";
import type { PostgresDatabase } from "./postgres-database.ts";
import { textOf } from "./stored-row.ts";

/** How the ledger runs work on its database: counted and bounded. */
export interface PostgresAccess {
  readonly database: PostgresDatabase;
  readonly call: <T>(work: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
}

/** Content keys in the PostgreSQL ledger. */
export class PostgresContentKeys implements ContentKeyStore {
  readonly #access: PostgresAccess;

  constructor(access: PostgresAccess) {
    this.#access = access;
  }

  findNewest({ tenant, user }: Subject): Promise<StoredContentKey | undefined> {
    return this.#findOne(tenant, "user_id = $2 ORDER BY generation DESC LIMIT 1", user);
  }

  find(tenant: string, keyId: string): Promise<StoredContentKey | undefined> {
    return this.#findOne(tenant, "key_id = $2", keyId);
  }

  insert({ keyId, tenant, user, generation, wrapped }: NewContentKey): Promise<void> {
    const { call, database, now } = this.#access;
    return call(() =>
      database.write(tenant, async (query) => {
        await query(
          `INSERT INTO soma.content_keys (key_id, tenant, user_id, generation, master_key_id, wrapped, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, user_id, generation) DO NOTHING`,
          [keyId, tenant, user, generation, wrapped.masterKeyId, Buffer.from(wrapped.bytes), now().toISOString()],
        );
      }),
    );
  }

  /** Over all tenants, by the function that may. */
  holders(): Promise<readonly KeyHolder[]> {
    const { call, database } = this.#access;
    return call(() =>
      database.withoutTenant(async (query) =>
        (await query("SELECT * FROM soma.content_key_holders()")).map(keyHolderOf),
      ),
    );
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
    const { call, database } = this.#access;
    return call(() =>
      database.read(tenant, async (query) => {
        const rows = await query(
          `SELECT ${contentKeyColumns} FROM soma.content_keys
           WHERE tenant = $1 AND (user_id, generation) > ($2, $3) ORDER BY user_id, generation LIMIT $4`,
          [tenant, after.user, after.generation, limit],
        );
        return rows.map(contentKeyOf);
      }),
    );
  }

  destroy({ tenant, user }: Subject): Promise<readonly string[]> {
    const { call, database, now } = this.#access;
    return call(() =>
      database.write(tenant, async (query) => {
        const rows = await query(
          `UPDATE soma.content_keys SET wrapped = NULL, master_key_id = NULL, destroyed_at = $1
           WHERE tenant = $2 AND user_id = $3 AND wrapped IS NOT NULL RETURNING key_id`,
          [now().toISOString(), tenant, user],
        );
        return rows.map((row) => textOf(row, "key_id"));
      }),
    );
  }

  rewrap({ keyId, tenant, wrapped: before }: StoredContentKey, wrapped: WrappedKey): Promise<boolean> {
    const { call, database } = this.#access;
    return call(() =>
      database.write(tenant, async (query) => {
        const rows = await query(
          `UPDATE soma.content_keys SET master_key_id = $1, wrapped = $2
           WHERE tenant = $3 AND key_id = $4 AND master_key_id = $5 RETURNING key_id`,
          [wrapped.masterKeyId, Buffer.from(wrapped.bytes), tenant, keyId, before?.masterKeyId ?? null],
        );
        return rows.length === 1;
      }),
    );
  }

  requiredMasterKey(first: string): Promise<string> {
    const { call, database } = this.#access;
    return call(() =>
      database.withoutTenant(async (query) => {
        const [row] = await query(
          "UPDATE soma.content_encryption SET master_key_id = coalesce(master_key_id, $1) RETURNING master_key_id",
          [first],
        );
        return textOf(row ?? {}, "master_key_id");
      }),
    );
  }

  setRequiredMasterKey(masterKeyId: string): Promise<void> {
    const { call, database } = this.#access;
    return call(() =>
      database.withoutTenant(async (query) => {
        await query("UPDATE soma.content_encryption SET master_key_id = $1", [masterKeyId]);
      }),
    );
  }

  #findOne(tenant: string, where: string, value: string): Promise<StoredContentKey | undefined> {
    const { call, database } = this.#access;
    return call(() =>
      database.read(tenant, async (query) => {
        const sql = `SELECT ${contentKeyColumns} FROM soma.content_keys WHERE tenant = $1 AND ${where}`;
        const [row] = await query(sql, [tenant, value]);
        return row && contentKeyOf(row);
      }),
    );
  }
}
