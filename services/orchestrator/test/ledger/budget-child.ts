/**
 * A worker in a process of its own: `budget-child.ts STORE SESSION WRITER`, with the file of a SQLite ledger or the URL of
 * a PostgreSQL one. Begins effects and records their outcomes, four at a time, until the ledger refuses an intent for want
 * of budget; prints sequence and id of each event that was acknowledged.
 */
import { writeSync } from "node:fs";
import { DomainError } from "@soma/kit/domain-error";
import { openPostgresLedger } from "../../src/ledger/postgres-ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { intent, outcome, worst } from "./budget-events.ts";

const [store = "", session_id = "", writer = ""] = process.argv.slice(2);
const subject = { tenant: "tenant-a", session_id };
const refusals: ReadonlySet<string> = new Set(["BUDGET_EXCEEDED", "QUOTA_EXCEEDED"]);

const ledger = store.startsWith("postgres:")
  ? await openPostgresLedger({ url: store, masterKeys, timeoutMs: 20_000 })
  : await openSqliteLedger({ file: store, masterKeys, timeoutMs: 20_000 });
let next = 0;
const lane = async (): Promise<void> => {
  for (;;) {
    const step = `${writer}-${(next += 1)}`;
    try {
      for (const event of [intent(subject, step, worst), outcome(subject, step, worst.tokens, worst.cost_micros)]) {
        const [appended] = await ledger.append([event]);
        // Synchronous: a line that a pipe buffers in the process would not outlive it.
        writeSync(1, `${appended?.event.sequence} ${appended?.event.id}\n`);
      }
    } catch (error) {
      if (error instanceof DomainError && refusals.has(error.code)) return;
      throw error;
    }
  }
};
await Promise.all(Array.from({ length: 4 }, lane));
await ledger.close();
