import type { DatabaseSync, StatementSync } from "node:sqlite";
import { TenantEntry } from "@soma/contracts/tenant";
import { Compile } from "typebox/compile";

const entrySchema = Compile(TenantEntry);

/** The tenants that this service was told of, each in the newest version that it heard. */
export class TenantStore {
  readonly #find: StatementSync;
  readonly #put: StatementSync;

  constructor(database: DatabaseSync) {
    this.#find = database.prepare("SELECT version, status, issuers FROM tenants WHERE tenant = ?");
    this.#put = database.prepare(
      `INSERT INTO tenants (tenant, version, status, issuers) VALUES (?, ?, ?, ?)
       ON CONFLICT (tenant) DO UPDATE SET version = excluded.version, status = excluded.status, issuers = excluded.issuers
       WHERE excluded.version > tenants.version`,
    );
  }

  find(tenant: string): TenantEntry | undefined {
    const row = this.#find.get(tenant);
    if (row === undefined) return undefined;
    const entry: unknown = {
      version: row["version"],
      status: row["status"],
      issuers: JSON.parse(String(row["issuers"])),
    };
    if (!entrySchema.Check(entry)) throw new Error("a tenant is stored that does not fit the contract");
    return entry;
  }

  /** Takes a version over unless a newer one is there. Durable when it returns. */
  put(tenant: string, { version, status, issuers }: TenantEntry): void {
    this.#put.run(tenant, version, status, JSON.stringify(issuers));
  }
}
