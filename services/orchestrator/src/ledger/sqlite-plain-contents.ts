import type { DatabaseSync } from "node:sqlite";
import type { PlainContents } from "../contents/plain-contents.ts";
import type { SealedContent } from "../contents/content-vault.ts";
import { newContent, type NewContent } from "./content.ts";
import type { SqliteAccess } from "./sqlite-content-keys.ts";
import type { SqliteContents } from "./sqlite-contents.ts";
import { truncateLog } from "./sqlite-file.ts";
import { bytesOf, integerOf, textOf } from "./stored-row.ts";

/** Texts that versions before encryption wrote into the SQLite ledger. */
export class SqlitePlainContents implements PlainContents {
  readonly #database: DatabaseSync;
  readonly #access: SqliteAccess;
  readonly #contents: SqliteContents;

  constructor(database: DatabaseSync, access: SqliteAccess, contents: SqliteContents) {
    this.#database = database;
    this.#access = access;
    this.#contents = contents;
  }

  areGone(): Promise<boolean> {
    const sql = "SELECT plain_gone_at IS NOT NULL AS gone FROM content_encryption";
    return this.#access.read(() => this.#database.prepare(sql).get()?.["gone"] === 1);
  }

  tenants(): Promise<readonly string[]> {
    const sql = "SELECT DISTINCT tenant FROM plain_contents ORDER BY 1";
    return this.#access.read(() =>
      this.#database
        .prepare(sql)
        .all()
        .map((row) => textOf(row, "tenant")),
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
    return this.#access.read(() => {
      const page = "SELECT ordinal FROM sessions WHERE tenant = ? AND ordinal > ? ORDER BY ordinal LIMIT ?";
      const last = this.#database.prepare(page).all(tenant, after, sessions).at(-1);
      if (last === undefined) return { contents: [], last: undefined };
      const until = integerOf(last, "ordinal");
      const rows = this.#database
        .prepare(
          `SELECT DISTINCT s.user_id, p.digest, p.media_type, p.bytes
           FROM sessions s JOIN events e ON e.session_id = s.session_id
           JOIN plain_contents p ON p.tenant = s.tenant AND p.digest IN (
             json_extract(e.json, '$.data.prompt_digest'),
             json_extract(e.json, '$.data.metadata_digest'),
             json_extract(e.json, '$.data.result_digest'))
           WHERE s.tenant = ? AND s.ordinal > ? AND s.ordinal <= ?`,
        )
        .all(tenant, after, until);
      const contents = rows.map((row) =>
        newContent({ tenant, user: textOf(row, "user_id") }, textOf(row, "media_type"), bytesOf(row, "bytes")),
      );
      return { contents, last: until };
    });
  }

  insertSealed(_tenant: string, contents: readonly SealedContent[]): Promise<void> {
    return this.#access.write(() => {
      // Their events were read for the names when the schema came to have them.
      for (const content of contents) this.#contents.insert(content, []);
    });
  }

  remove(tenant: string, limit: number): Promise<number> {
    const sql = "DELETE FROM plain_contents WHERE rowid IN (SELECT rowid FROM plain_contents WHERE tenant = ? LIMIT ?)";
    return this.#access.write(() => Number(this.#database.prepare(sql).run(tenant, limit).changes));
  }

  /**
   * A deleted row stays in the file's free pages and in the write-ahead log: the file is written anew, and the log is
   * cut to nothing. Waits for other processes to let go of the file.
   */
  async finish(): Promise<void> {
    await this.#access.read(() => this.#database.exec("VACUUM"));
    await this.#access.read(() => truncateLog(this.#database));
    const sql = "UPDATE content_encryption SET plain_gone_at = ?";
    await this.#access.write(() => this.#database.prepare(sql).run(this.#access.now().toISOString()));
  }
}
