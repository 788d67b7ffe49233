import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import { readMigrations } from "../../src/ledger/migration.ts";
import { openSqliteFile } from "../../src/ledger/sqlite-file.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { migrateSqlite } from "../../src/ledger/sqlite-migrate.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { openingOf } from "./sample-events.ts";
import { tenantCreated } from "./sample-tenants.ts";
import { openTemporaryLedger, temporaryFolder } from "./sqlite-store.ts";

const count = 60;
const promptOf = (index: number): string => `canary-in-clear ${index} `.repeat(index);

/** A ledger file as the first version wrote it, side files included: the text stands in it in clear. */
async function writeOldLedger(file: string): Promise<void> {
  await using modern = await openTemporaryLedger();
  for (let index = 1; index <= count; index += 1)
    await modern.ledger.openSession(openingOf({ tenant: "tenant-a", session_id: `sess-${index}` }, promptOf(index)));
  await modern.ledger.close();
  using old = openSqliteFile(file, undefined);
  const folder = new URL("../../src/ledger/migrations/sqlite/", import.meta.url);
  migrateSqlite(old, readMigrations(folder).slice(0, 2), "2026-03-01T00:00:00.000Z");
  old.exec(`ATTACH '${modern.file}' AS modern`);
  for (const table of ["sessions", "session_labels", "events", "idempotency"]) {
    // The columns that there were: later versions have more.
    const columns = old.prepare("SELECT group_concat(name) AS names FROM pragma_table_info(?, 'main')").get(table);
    const names = String(columns?.["names"]);
    old.exec(`INSERT INTO ${table} (${names}) SELECT ${names} FROM modern.${table}`);
  }
  const insert = old.prepare("INSERT INTO contents VALUES ('tenant-a', ?, 'text/plain', ?)");
  for (let index = 1; index <= count; index += 1) insert.run(sha256(promptOf(index)), Buffer.from(promptOf(index)));
}

function filesHold(file: string, words: string): boolean {
  return [file, `${file}-wal`].some((path) => existsSync(path) && readFileSync(path).includes(words));
}

test("a file of the version before is opened with its texts readable, and no word of them is left in it", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/ledger.sqlite`;
  await writeOldLedger(file);
  assert.ok(filesHold(file, "canary-in-clear"));
  const ledger = await openSqliteLedger({ file, masterKeys });
  assert.ok(!filesHold(file, "canary-in-clear"));
  for (let index = 1; index <= count; index += 1) {
    const bytes = await ledger.readContent({
      tenant: "tenant-a",
      user: "user-1",
      digest: sha256(promptOf(index)),
    });
    assert.equal(Buffer.from(bytes ?? []).toString(), promptOf(index));
  }
  // The events were moved to another table: each at its place, and the next one goes on where they end.
  await ledger.tenants.append({ events: [tenantCreated("tenant-a")] });
  const tail = await ledger.tail({ afterPosition: 0, limit: 100 });
  assert.deepEqual(
    tail.map(({ position, event }) => [position, event.subject]),
    [...Array.from({ length: count }, (_, index) => [index + 1, `sess-${index + 1}`]), [count + 1, "tenant:tenant-a"]],
  );
  await ledger.close();
  using raw = new DatabaseSync(file, { readOnly: true });
  assert.equal(raw.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
});

test("an old process that still runs cannot write another text in clear", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/ledger.sqlite`;
  await writeOldLedger(file);
  using old = openSqliteFile(file, undefined);
  const insert = old.prepare("INSERT INTO contents (tenant, digest, media_type, bytes) VALUES ('t', 'd', 'm', x'00')");
  const ledger = await openSqliteLedger({ file, masterKeys });
  assert.throws(() => insert.run(), /bytes|column/);
  await ledger.close();
});
