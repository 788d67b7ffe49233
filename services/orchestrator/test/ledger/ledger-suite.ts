import { describe } from "node:test";
import type { MasterKeys } from "../../src/contents/master-keys.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { describeAppends } from "./append-cases.ts";
import { describeBudgets } from "./budget-cases.ts";
import { describeContents } from "./content-cases.ts";
import { describeErasure } from "./erasure-cases.ts";
import { describeReads } from "./read-cases.ts";
import { describeRelay } from "./relay-cases.ts";
import { describeRetention } from "./retention-cases.ts";
import { describeSessions } from "./session-cases.ts";
import { describeTenants } from "./tenant-cases.ts";

/** A fresh, empty store. */
export interface LedgerUnderTest extends AsyncDisposable {
  readonly ledger: Ledger;
  /** One more handle on the same store, as another process would have; closed with the rest. */
  reopen(masterKeys?: MasterKeys): Promise<Ledger>;
  /** Runs a statement past the ledger, as somebody with access to the database could; gives the rows. */
  sql(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export type OpenLedger = (options?: {
  readonly now?: () => Date;
  readonly masterKeys?: MasterKeys;
}) => Promise<LedgerUnderTest>;

/** What any store of the ledger must hold; each one runs it. */
export function describeLedger(name: string, open: OpenLedger): void {
  describe(name, () => {
    describeSessions(open);
    describeAppends(open);
    describeReads(open);
    describeRelay(open);
    describeContents(open);
    describeTenants(open);
    describeBudgets(open);
    describeErasure(open);
    describeRetention(open);
  });
}
