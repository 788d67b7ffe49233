import { describe } from "node:test";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { describeAppends } from "./append-cases.ts";
import { describeReads } from "./read-cases.ts";
import { describeRelay } from "./relay-cases.ts";
import { describeSessions } from "./session-cases.ts";

/** A fresh, empty store. */
export interface LedgerUnderTest extends AsyncDisposable {
  readonly ledger: Ledger;
  /** One more handle on the same store, as another process would have; closed with the rest. */
  reopen(): Promise<Ledger>;
}

export type OpenLedger = (options?: { readonly now?: () => Date }) => Promise<LedgerUnderTest>;

/** What any store of the ledger must hold; each one runs it. */
export function describeLedger(name: string, open: OpenLedger): void {
  describe(name, () => {
    describeSessions(open);
    describeAppends(open);
    describeReads(open);
    describeRelay(open);
  });
}
