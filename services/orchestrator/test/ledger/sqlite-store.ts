import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger, type SqliteLedgerOptions } from "../../src/ledger/sqlite-ledger.ts";
import type { LedgerUnderTest } from "./ledger-suite.ts";

/** A new folder for one test's database. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "soma-ledger-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A SQLite ledger in a folder of its own, gone with the test. */
export async function openTemporaryLedger(
  options: Partial<SqliteLedgerOptions> = {},
): Promise<LedgerUnderTest & { readonly file: string }> {
  const folder = await temporaryFolder();
  const file = join(folder.path, "data", "ledger.sqlite");
  const opened: Ledger[] = [];
  const reopen = async (): Promise<Ledger> => {
    const ledger = await openSqliteLedger({ file, ...options });
    opened.push(ledger);
    return ledger;
  };
  return {
    file,
    ledger: await reopen(),
    reopen,
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((ledger) => ledger.close()));
      await folder[Symbol.asyncDispose]();
    },
  };
}
