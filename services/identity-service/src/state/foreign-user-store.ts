import type { DatabaseSync, StatementSync } from "node:sqlite";
import { roles, type Role } from "@soma/contracts/wire-names";

/** Somebody who logged in from elsewhere. Times in seconds since 1970. */
export interface ForeignUserRecord {
  readonly issuer: string;
  readonly role: Role;
  readonly expiresAt: number;
}

/** Users whom a foreign issuer vouched for, for as long as what they began can go on. */
export class ForeignUserStore {
  readonly #find: StatementSync;
  readonly #put: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare("SELECT issuer, role, expires_at FROM foreign_users WHERE tenant = ? AND user = ?");
    this.#put = database.prepare(
      "INSERT OR REPLACE INTO foreign_users (tenant, user, issuer, role, expires_at) VALUES (?, ?, ?, ?, ?)",
    );
    this.#prune = database.prepare("DELETE FROM foreign_users WHERE expires_at < ?");
  }

  find(tenant: string, user: string): ForeignUserRecord | undefined {
    const row = this.#find.get(tenant, user);
    const role = roles.find((known) => known === row?.["role"]);
    if (row === undefined || role === undefined) return undefined;
    return { issuer: String(row["issuer"]), role, expiresAt: Number(row["expires_at"]) };
  }

  /** Durable when it returns. */
  put(tenant: string, user: string, { issuer, role, expiresAt }: ForeignUserRecord): void {
    this.#put.run(tenant, user, issuer, role, expiresAt);
  }

  prune(now: number): void {
    this.#prune.run(now);
  }
}
