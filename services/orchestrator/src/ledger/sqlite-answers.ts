import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "@soma/contracts/ids";
import type { AnswerStore } from "./answer-store.ts";
import { forgottenAt } from "./idempotency-record.ts";
import { idempotencyKeyReused } from "./refusals.ts";
import type { SqliteAccess } from "./sqlite-content-keys.ts";
import { optionalTextOf, textOf } from "./stored-row.ts";

export class SqliteAnswers implements AnswerStore {
  readonly #database: DatabaseSync;
  readonly #access: SqliteAccess;

  constructor(database: DatabaseSync, access: SqliteAccess) {
    this.#database = database;
    this.#access = access;
  }

  begin({ tenant, key, requestDigest }: { tenant: string; key: string; requestDigest: Digest }) {
    return this.#access.write(() => {
      const now = this.#access.now();
      this.#database.prepare("DELETE FROM kept_answers WHERE created_at <= ?").run(forgottenAt(now));
      this.#database
        .prepare("INSERT INTO kept_answers VALUES (?, ?, ?, NULL, ?) ON CONFLICT DO NOTHING")
        .run(tenant, key, requestDigest, now.toISOString());
      const row =
        this.#database
          .prepare("SELECT request_digest, answer FROM kept_answers WHERE tenant = ? AND key = ?")
          .get(tenant, key) ?? {};
      if (textOf(row, "request_digest") !== requestDigest) throw idempotencyKeyReused();
      return optionalTextOf(row, "answer");
    });
  }

  async keep({ tenant, key, answer }: { tenant: string; key: string; answer: string }): Promise<void> {
    await this.#access.write(() =>
      this.#database
        .prepare("UPDATE kept_answers SET answer = ? WHERE tenant = ? AND key = ? AND answer IS NULL")
        .run(answer, tenant, key),
    );
  }
}
