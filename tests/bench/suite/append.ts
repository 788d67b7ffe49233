import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { canonicalJson } from "@soma/kit/digest";
import type { Ledger } from "../../../services/orchestrator/src/ledger/ledger.ts";
import { openPostgresLedger } from "../../../services/orchestrator/src/ledger/postgres-ledger.ts";
import { openSqliteFile } from "../../../services/orchestrator/src/ledger/sqlite-file.ts";
import { openSqliteLedger } from "../../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { masterKeys } from "../../../services/orchestrator/test/harness/master-keys.ts";
import { postgresMissing, startPostgresServer } from "../../../services/orchestrator/test/ledger/postgres-server.ts";
import { openingOf, stepEvents } from "../../../services/orchestrator/test/ledger/sample-events.ts";
import { cpuBetween, readOwnTree } from "../cpu-account.ts";
import { interleave, type Slice } from "../interleave.ts";
import type { Plan } from "../plan.ts";
import type { Comparison, Measured } from "../result.ts";
import { ratiosOf, spreadOf } from "../statistics.ts";

interface AppendSlice extends Slice {
  readonly microsecondsEach: number;
}
type Variant = "ledger" | "bare";
/** What one commit is, for each variant; made anew for each slice, so that no session gets long. */
type Work = (name: Variant) => Promise<(index: number) => Promise<void>>;

/** B11, first half: one event appended and durable, against one bare commit of the same bytes in the same database. */
export async function measureAppends(folder: string, plan: Plan, say: (line: string) => void): Promise<Measured> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sqlite = await onSqlite(folder, plan, say);
  if (postgresMissing !== false) {
    say(`  not on PostgreSQL: ${postgresMissing}`);
    return { comparisons: [sqlite.comparison], raw: { sqlite: sqlite.raw, postgres: postgresMissing } };
  }
  const postgres = await onPostgres(plan, say);
  return {
    comparisons: [sqlite.comparison, postgres.comparison],
    raw: { sqlite: sqlite.raw, postgres: postgres.raw },
  };
}

async function onSqlite(folder: string, plan: Plan, say: (line: string) => void) {
  const ledger = await openSqliteLedger({ file: join(folder, "ledger.sqlite"), masterKeys });
  // The same pragmas: opened by the ledger's own function.
  const database = openSqliteFile(join(folder, "bare.sqlite"), undefined);
  database.exec("CREATE TABLE commits (position INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT");
  const insert = database.prepare("INSERT INTO commits (json) VALUES (?)");
  try {
    const events = await appender(ledger);
    return await compare("SQLite, write-ahead log, synchronous=FULL", plan, say, async (name) => {
      if (name === "ledger") return events();
      return async () => void insert.run(row);
    });
  } finally {
    database.close();
    await ledger.close();
  }
}

async function onPostgres(plan: Plan, say: (line: string) => void) {
  await using server = await startPostgresServer();
  const url = server.urlOf(await server.createDatabase());
  const ledger = await openPostgresLedger({ url, masterKeys });
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("CREATE TABLE commits (position BIGSERIAL PRIMARY KEY, json TEXT NOT NULL)");
    const insert = { name: "insert", text: "INSERT INTO commits (json) VALUES ($1)" };
    const events = await appender(ledger);
    return await compare("PostgreSQL, fsync and synchronous_commit on", plan, say, async (name) => {
      if (name === "ledger") return events();
      return async () => void (await client.query({ ...insert, values: [row] }));
    });
  } finally {
    await client.end();
    await ledger.close();
  }
}

const tenant = "tenant-bench";
/** As many bytes as an event of the ledger has: a decision as it is stored. */
const row = canonicalJson({ ...stepEvents({ tenant, session_id: "sess-0" }, "step-1")[0], padding: "x".repeat(300) });

/** Appends the events of governed steps, one at a time, to a new session for each slice. */
async function appender(ledger: Ledger): Promise<() => Promise<(index: number) => Promise<void>>> {
  let sessions = 0;
  return async () => {
    const subject = { tenant, session_id: `sess-${String((sessions += 1))}` };
    await ledger.openSession(openingOf(subject));
    return async (index) => {
      const event = stepEvents(subject, `step-${String(Math.floor(index / 3))}`)[index % 3];
      if (event === undefined) throw new TypeError("a step has three events");
      const [appended] = await ledger.append([event]);
      if (appended?.duplicate !== false || appended.event.sequence !== index + 2)
        throw new Error("an event is missing");
    };
  };
}

async function compare(backend: string, plan: Plan, say: (line: string) => void, work: Work) {
  const run = async (name: Variant): Promise<AppendSlice> => {
    const commit = await work(name);
    const before = readOwnTree();
    const begin = performance.now();
    for (let index = 0; index < plan.appends; index += 1) await commit(index);
    const microsecondsEach = ((performance.now() - begin) * 1000) / plan.appends;
    say(`  ${name}: ${microsecondsEach.toFixed(0)} µs a commit; ${backend}`);
    return { faults: [], othersShare: cpuBetween(before, readOwnTree()).othersShare, microsecondsEach };
  };
  for (const name of ["ledger", "bare"] as const) await run(name);
  const { shown, faults } = await interleave(["ledger", "bare"] as const, run, plan);
  const pairs = shown.map(({ ledger, bare }): [number, number] => [ledger.microsecondsEach, bare.microsecondsEach]);
  const comparison: Comparison = {
    id: "B11",
    what: `one event appended and durable, one after another; ${backend}`,
    unit: "µs a commit",
    ours: spreadOf(pairs.map(([ours]) => ours)),
    other: { name: "bare commit", value: spreadOf(pairs.map(([, theirs]) => theirs)) },
    ratio: spreadOf(ratiosOf(pairs)),
    target: { atMost: 1.5 },
    pairs: pairs.length,
    faults,
  };
  return { comparison, raw: { backend, commitsInASlice: plan.appends, rounds: shown } };
}
