import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TokenClaims } from "@soma/contracts/identity";

// A clock that was ahead for a while must not have pruned what is needed again after it was set right.
const marginSeconds = 3_600;

/** Ids of tokens that are not valid any more, kept until no token with the id could be. Times in seconds since 1970. */
export class RevocationStore {
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      "INSERT INTO revoked_tokens (jti, keep_until) VALUES (?, ?) ON CONFLICT (jti) DO UPDATE SET keep_until = max(keep_until, excluded.keep_until)",
    );
    this.#find = database.prepare("SELECT 1 FROM revoked_tokens WHERE jti = ?");
    this.#prune = database.prepare("DELETE FROM revoked_tokens WHERE keep_until < ?");
  }

  /** Durable when it returns. */
  revoke(jti: string, keepUntil: number): void {
    this.#insert.run(jti, keepUntil);
  }

  isRevoked(jti: string): boolean {
    return this.#find.get(jti) !== undefined;
  }

  /** True when the token itself was revoked, or one that it derives from. */
  isRevokedWithOrigins({ jti, origins = [] }: Pick<TokenClaims, "jti" | "origins">): boolean {
    return [jti, ...origins].some((id) => this.isRevoked(id));
  }

  prune(now: number): void {
    this.#prune.run(now - marginSeconds);
  }
}
