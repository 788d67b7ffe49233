import { readdirSync, readFileSync } from "node:fs";
import type { Digest } from "@soma/contracts/ids";
import { sha256 } from "@soma/kit/digest";

/** One numbered SQL file. What was applied once is never edited: a change is a new file. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: Digest;
}

const namePattern = /^(\d{4})-[a-z0-9-]+\.sql$/;

/** Reads the `NNNN-name.sql` files of a folder, which must be numbered from 1 without gaps. */
export function readMigrations(folder: URL): readonly Migration[] {
  const names = readdirSync(folder).toSorted();
  return names.map((name, index) => {
    const version = Number(namePattern.exec(name)?.[1]);
    if (version !== index + 1) throw new Error(`migration ${name} is not number ${index + 1} of its folder`);
    const sql = readFileSync(new URL(name, folder), "utf8");
    return { version, name, sql, checksum: sha256(sql) };
  });
}

/** @throws Error when an applied file was changed, or the database was written by a newer version of the service */
export function assertKnownMigration(
  migrations: readonly Migration[],
  version: number,
  name: string,
  checksum: string,
): void {
  const known = migrations[version - 1];
  if (known === undefined) {
    throw new Error(
      `the ledger database has migration ${name}, which this version does not know: it was written by a newer version of the service; start that one`,
    );
  }
  if (known.checksum !== checksum) {
    throw new Error(
      `migration ${known.name} was changed after the ledger database had it applied (as ${name}): restore the file; a change of the schema is a new migration`,
    );
  }
}
