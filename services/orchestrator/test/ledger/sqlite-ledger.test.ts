import { describeLedger } from "./ledger-suite.ts";
import { openTemporaryLedger } from "./sqlite-store.ts";

describeLedger("ledger in SQLite", openTemporaryLedger);
