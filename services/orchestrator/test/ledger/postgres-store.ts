import type { Ledger } from "../../src/ledger/ledger.ts";
import { openPostgresLedger, type PostgresLedgerOptions } from "../../src/ledger/postgres-ledger.ts";
import { masterKeys } from "../harness/master-keys.ts";
import type { LedgerUnderTest } from "./ledger-suite.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** A PostgreSQL ledger in a database of its own. */
export interface PostgresLedgerUnderTest extends LedgerUnderTest {
  readonly database: string;
  readonly url: string;
}

export async function openFreshLedger(
  server: PostgresServer,
  options: Partial<PostgresLedgerOptions> = {},
): Promise<PostgresLedgerUnderTest> {
  const database = await server.createDatabase();
  const url = server.urlOf(database);
  const opened: Ledger[] = [];
  const reopen = async (keys = options.masterKeys ?? masterKeys): Promise<Ledger> => {
    const ledger = await openPostgresLedger({ url, maxConnections: 4, ...options, masterKeys: keys });
    opened.push(ledger);
    return ledger;
  };
  return {
    database,
    url,
    ledger: await reopen(),
    reopen,
    sql: (statement) => server.asSuperuser(database, statement),
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((ledger) => ledger.close()));
    },
  };
}
