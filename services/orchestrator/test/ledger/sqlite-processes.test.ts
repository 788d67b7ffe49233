import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { verify } from "../../../../scripts/soma-verify.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { killSixWorkers } from "./killed-workers.ts";
import { killSixteenWriters } from "./killed-writers.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { temporaryFolder } from "./sqlite-store.ts";
import { runWriter } from "./writer-process.ts";

async function readSession(file: string, sessionId: string): Promise<readonly { sequence: number; id: string }[]> {
  const ledger = await openSqliteLedger({ file, masterKeys });
  try {
    const events = await ledger.readEvents({ tenant: "tenant-a", sessionId, after: 0, limit: 1_000_000 });
    const row = await ledger.findSession({ tenant: "tenant-a", sessionId });
    assert.equal(row?.last_seq, events.length);
    const { violations } = verify(JSON.stringify(events));
    assert.deepEqual(violations, []);
    return events;
  } finally {
    await ledger.close();
  }
}

test("processes that start at once migrate a fresh file once and append to one session without a gap", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "data", "ledger.sqlite");
  const acknowledged = await Promise.all(
    ["one", "two", "three"].map((writer) => runWriter([file, "sess-1", writer, "60"])),
  );
  const events = await readSession(file, "sess-1");
  assert.equal(events.length, 1 + 3 * 60);
  for (const writer of acknowledged) {
    for (const [sequence, id] of writer) assert.equal(events[sequence - 1]?.id, id);
  }
});

test("kill -9 of a writer loses nothing that was acknowledged and leaves the chain whole", async (context) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "ledger.sqlite");
  let total = 0;
  for (let round = 0; round < 6; round += 1) {
    const killAfterMs = Math.floor(Math.random() * 120);
    const acknowledged = await runWriter([file, "sess-1", `round-${round}`, "0"], killAfterMs);
    context.diagnostic(`killed after ${killAfterMs} ms with ${acknowledged.size} acknowledged`);
    const events = await readSession(file, "sess-1");
    assert.ok(acknowledged.size > 0);
    for (const [sequence, id] of acknowledged) assert.equal(events[sequence - 1]?.id, id);
    total += acknowledged.size;
    assert.ok(events.length > total);
  }
});

test("sixteen processes that append and are killed at random lose nothing that was acknowledged", async (context) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "ledger.sqlite");
  await (await openSqliteLedger({ file, masterKeys })).close();
  await killSixteenWriters(context, file, () => openSqliteLedger({ file, masterKeys }));
});

test("workers that are killed between intent and outcome: of budget and day nothing leaks and nothing is spent twice", async (context) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "ledger.sqlite");
  await killSixWorkers(context, file, () => openSqliteLedger({ file, masterKeys, timeoutMs: 20_000 }));
});
