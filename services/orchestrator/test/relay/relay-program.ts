/** Program: a relay on a SQLite ledger until it is killed: relay-program.ts LEDGER BROKER LEASE-MS. */
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { plainConfig, startTestRelay } from "./test-relay.ts";

const [file, broker, leaseMs] = process.argv.slice(2);
if (file === undefined || broker === undefined) throw new TypeError("usage: relay-program.ts LEDGER BROKER LEASE-MS");
const ledger = await openSqliteLedger({ file, masterKeys });
const lease = { ms: Number(leaseMs), renewEveryMs: Number(leaseMs) / 4 };
const relay = await startTestRelay({ ledger, config: plainConfig(broker), lease });
setInterval(() => {
  void relay.valueOf("soma_audit_delivered_total").then((count) => process.stdout.write(`${String(count)}\n`));
}, 50);
