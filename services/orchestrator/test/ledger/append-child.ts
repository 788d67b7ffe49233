/**
 * A writer in a process of its own: `append-child.ts STORE SESSION WRITER COUNT`, with the
 * file of a SQLite ledger or the URL of a PostgreSQL one. Opens the session (or finds it open), then
 * appends COUNT events (0: until it is killed), eight at a time, and prints the sequence and id of each that was
 * acknowledged.
 */
import { writeSync } from "node:fs";
import { openPostgresLedger } from "../../src/ledger/postgres-ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { openingOf, unavailableEvent } from "./sample-events.ts";

const [store = "", session = "", writer = "", count = ""] = process.argv.slice(2);
const subject = { tenant: "tenant-a", session_id: session };
const wanted = Number(count) === 0 ? Infinity : Number(count);

const ledger = store.startsWith("postgres:")
  ? await openPostgresLedger({ url: store, masterKeys, timeoutMs: 20_000 })
  : await openSqliteLedger({ file: store, masterKeys, timeoutMs: 20_000 });
await ledger.openSession(openingOf(subject));
let next = 0;
const lane = async (): Promise<void> => {
  while (next < wanted) {
    const [appended] = await ledger.append([unavailableEvent(subject, `${writer}/${(next += 1)}`)]);
    // Synchronous: a line that a pipe buffers in the process would not outlive it.
    writeSync(1, `${appended?.event.sequence} ${appended?.event.id}\n`);
  }
};
await Promise.all(Array.from({ length: 8 }, lane));
await ledger.close();
