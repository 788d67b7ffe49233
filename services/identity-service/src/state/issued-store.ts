import type { DatabaseSync, StatementSync } from "node:sqlite";
import { TokenClaims } from "@soma/contracts/identity";
import { Compile } from "typebox/compile";
import { inTransaction } from "./state-database.ts";

/** What a service got for an idempotency key: the claims, from which the token can be signed again, and no token. */
export interface RememberedIssue {
  readonly requestDigest: string;
  readonly claims: TokenClaims;
}

const claimsSchema = Compile(TokenClaims);

/** Tokens by the key that they were asked for with, until they expire. Times in seconds since 1970. */
export class IssuedStore {
  readonly #database: DatabaseSync;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#find = database.prepare("SELECT request_digest, claims FROM issued_tokens WHERE service = ? AND key = ?");
    this.#insert = database.prepare(
      "INSERT OR REPLACE INTO issued_tokens (service, key, request_digest, claims, expires_at) VALUES (?, ?, ?, ?, ?)",
    );
    this.#prune = database.prepare("DELETE FROM issued_tokens WHERE expires_at < ?");
  }

  /** What the key stands for, expired or not. */
  find(service: string, key: string): RememberedIssue | undefined {
    const row = this.#find.get(service, key);
    if (row === undefined) return undefined;
    const claims: unknown = JSON.parse(String(row["claims"]));
    // Claims of an older version that lack what this one needs are as good as none.
    return claimsSchema.Check(claims) ? { requestDigest: String(row["request_digest"]), claims } : undefined;
  }

  /**
   * Remembers what the key stands for from now on, in place of `instead`, unless another process was first: then that
   * one's is what the key stands for.
   */
  remember(
    service: string,
    key: string,
    issue: RememberedIssue,
    instead: RememberedIssue | undefined,
  ): RememberedIssue {
    return inTransaction(this.#database, () => {
      const found = this.find(service, key);
      if (found !== undefined && found.claims.jti !== instead?.claims.jti) return found;
      const { requestDigest, claims } = issue;
      this.#insert.run(service, key, requestDigest, JSON.stringify(claims), claims.exp);
      return issue;
    });
  }

  prune(now: number): void {
    this.#prune.run(now);
  }
}
