import type { SealedContent } from "../contents/content-vault.ts";
import type { PlainContents } from "../contents/plain-contents.ts";
import { newContent, type NewContent } from "./content.ts";
import type { PostgresAccess } from "./postgres-content-keys.ts";
import { insertContents } from "./postgres-contents.ts";
import { bytesOf, integerOf, textOf } from "./stored-row.ts";

/** Texts that versions before encryption wrote into the PostgreSQL ledger. */
export class PostgresPlainContents implements PlainContents {
  readonly #access: PostgresAccess;

  constructor(access: PostgresAccess) {
    this.#access = access;
  }

  areGone(): Promise<boolean> {
    const { call, database } = this.#access;
    return call(() =>
      database.withoutTenant(async (query) => {
        const [row] = await query("SELECT plain_gone_at IS NOT NULL AS gone FROM soma.content_encryption");
        return row?.["gone"] === true;
      }),
    );
  }

  /** Over all tenants, by the function that may. */
  tenants(): Promise<readonly string[]> {
    const { call, database } = this.#access;
    return call(() =>
      database.withoutTenant(async (query) =>
        (await query("SELECT tenant FROM soma.plain_content_holders()")).map((row) => textOf(row, "tenant")),
      ),
    );
  }

  read({
    tenant,
    after,
    sessions,
  }: {
    tenant: string;
    after: number;
    sessions: number;
  }): Promise<{ contents: NewContent[]; last: number | undefined }> {
    const { call, database } = this.#access;
    return call(() =>
      database.read(tenant, async (query) => {
        const page = await query(
          "SELECT ordinal FROM soma.sessions WHERE tenant = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3",
          [tenant, after, sessions],
        );
        const last = page.at(-1);
        if (last === undefined) return { contents: [], last: undefined };
        const until = integerOf(last, "ordinal");
        const rows = await query(
          `SELECT DISTINCT s.user_id, p.digest, p.media_type, p.bytes
           FROM soma.sessions s JOIN soma.events e ON e.session_id = s.session_id
           CROSS JOIN LATERAL (VALUES (e.json::json #>> '{data,prompt_digest}'),
             (e.json::json #>> '{data,metadata_digest}'), (e.json::json #>> '{data,result_digest}')) n (digest)
           JOIN soma.plain_contents p ON p.tenant = s.tenant AND p.digest = n.digest
           WHERE s.tenant = $1 AND s.ordinal > $2 AND s.ordinal <= $3`,
          [tenant, after, until],
        );
        const contents = rows.map((row) =>
          newContent({ tenant, user: textOf(row, "user_id") }, textOf(row, "media_type"), bytesOf(row, "bytes")),
        );
        return { contents, last: until };
      }),
    );
  }

  insertSealed(tenant: string, contents: readonly SealedContent[]): Promise<void> {
    const { call, database } = this.#access;
    return call(() => database.write(tenant, (query) => insertContents(query, contents)));
  }

  remove(tenant: string, limit: number): Promise<number> {
    const { call, database } = this.#access;
    return call(() =>
      database.write(tenant, async (query) => {
        const rows = await query(
          `DELETE FROM soma.plain_contents WHERE digest IN (
             SELECT digest FROM soma.plain_contents WHERE tenant = $1 LIMIT $2) RETURNING 1 AS one`,
          [tenant, limit],
        );
        return rows.length;
      }),
    );
  }

  /** The empty table gets a new file; what the server's log and backups hold is the server's to forget. */
  finish(): Promise<void> {
    const { call, database, now } = this.#access;
    return call(() =>
      database.withoutTenant(async (query) => {
        await query("TRUNCATE soma.plain_contents");
        await query("UPDATE soma.content_encryption SET plain_gone_at = $1", [now().toISOString()]);
      }),
    );
  }
}
