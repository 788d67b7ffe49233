import type { Digest } from "@soma/contracts/ids";
import type { AnswerStore } from "./answer-store.ts";
import { forgottenAt } from "./idempotency-record.ts";
import type { PostgresAccess } from "./postgres-content-keys.ts";
import { idempotencyKeyReused } from "./refusals.ts";
import { optionalTextOf, textOf } from "./stored-row.ts";

export class PostgresAnswers implements AnswerStore {
  readonly #access: PostgresAccess;

  constructor(access: PostgresAccess) {
    this.#access = access;
  }

  begin({ tenant, key, requestDigest }: { tenant: string; key: string; requestDigest: Digest }) {
    const { call, database, now } = this.#access;
    return call(() =>
      database.write(tenant, async (query) => {
        await query("DELETE FROM soma.kept_answers WHERE tenant = $1 AND created_at <= $2", [
          tenant,
          forgottenAt(now()),
        ]);
        await query("INSERT INTO soma.kept_answers VALUES ($1, $2, $3, NULL, $4) ON CONFLICT DO NOTHING", [
          tenant,
          key,
          requestDigest,
          now().toISOString(),
        ]);
        const [row = {}] = await query(
          "SELECT request_digest, answer FROM soma.kept_answers WHERE tenant = $1 AND key = $2",
          [tenant, key],
        );
        if (textOf(row, "request_digest") !== requestDigest) throw idempotencyKeyReused();
        return optionalTextOf(row, "answer");
      }),
    );
  }

  async keep({ tenant, key, answer }: { tenant: string; key: string; answer: string }): Promise<void> {
    const { call, database } = this.#access;
    await call(() =>
      database.write(tenant, (query) =>
        query("UPDATE soma.kept_answers SET answer = $1 WHERE tenant = $2 AND key = $3 AND answer IS NULL", [
          answer,
          tenant,
          key,
        ]),
      ),
    );
  }
}
