import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { deltasIn, type Deltas } from "../../src/streams/open-deltas.ts";
import { openSqliteDeltaStore } from "../../src/streams/sqlite-delta-store.ts";
import { openSqliteLedger, type SqliteLedgerOptions } from "../../src/ledger/sqlite-ledger.ts";
import { masterKeys } from "../harness/master-keys.ts";
import type { LedgerUnderTest } from "./ledger-suite.ts";

/** A new folder for one test's database. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "soma-ledger-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

interface OwnFiles {
  readonly file: string;
  /** The running texts beside the ledger, as one process has them; closed with the rest. */
  readonly deltas: Deltas;
  /** As another process has them. */
  reopenDeltas(): Deltas;
}

/** A SQLite ledger in a folder of its own, gone with the test. */
export async function openTemporaryLedger(
  options: Partial<SqliteLedgerOptions> = {},
): Promise<LedgerUnderTest & OwnFiles> {
  const folder = await temporaryFolder();
  const file = join(folder.path, "data", "ledger.sqlite");
  const opened: Ledger[] = [];
  const reopen = async (keys = options.masterKeys ?? masterKeys): Promise<Ledger> => {
    const ledger = await openSqliteLedger({ file, ...options, masterKeys: keys });
    opened.push(ledger);
    return ledger;
  };
  const ledger = await reopen();
  const stores: Deltas["store"][] = [];
  const reopenDeltas = (): Deltas => {
    const store = openSqliteDeltaStore(join(folder.path, "data", "deltas.sqlite"));
    stores.push(store);
    return deltasIn(store, ledger.contentKeys);
  };
  return {
    file,
    ledger,
    deltas: reopenDeltas(),
    reopenDeltas,
    reopen,
    async sql(statement) {
      using raw = new DatabaseSync(file, { timeout: 5000 });
      return Promise.resolve(raw.prepare(statement).all());
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...opened, ...stores].map((one) => one.close()));
      await folder[Symbol.asyncDispose]();
    },
  };
}
