import assert from "node:assert/strict";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { DomainError } from "@soma/kit/domain-error";
import { newContent } from "../../src/ledger/content.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { openSqliteFile } from "../../src/ledger/sqlite-file.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { code } from "./refusal.ts";
import { openingOf, stepEvents, unavailableEvent } from "./sample-events.ts";
import { openTemporaryLedger, temporaryFolder } from "./sqlite-store.ts";

const subject = { tenant: "tenant-a", session_id: "sess-1" };
const key = { tenant: "tenant-a", sessionId: "sess-1" };

test("a full file is AUDIT_UNAVAILABLE, leaves no half event, and the ledger goes on when there is room", async () => {
  await using store = await openTemporaryLedger({ maxBytes: 400_000 });
  const { ledger } = store;
  await ledger.openSession(openingOf(subject));
  const large = newContent({ tenant: "tenant-a", user: "user-1" }, "text/plain", "x".repeat(1_000_000));
  const before = await ledger.tail({ afterPosition: 0, limit: 100 });
  const row = await ledger.findSession(key);
  const outcomes = await Promise.allSettled([
    ledger.append(stepEvents(subject, "step-1"), [large]),
    ledger.append([unavailableEvent(subject, "neighbour")]),
  ]);
  for (const outcome of outcomes) {
    assert.equal(outcome.status, "rejected");
    assert.ok(outcome.reason instanceof DomainError);
    assert.equal(outcome.reason.code, "AUDIT_UNAVAILABLE");
    assert.match(String(outcome.reason.cause), /full/);
    assert.doesNotMatch(outcome.reason.message, /full|disk|sqlite/i);
  }
  assert.deepEqual(await ledger.tail({ afterPosition: 0, limit: 100 }), before);
  assert.deepEqual(await ledger.findSession(key), row);
  assert.equal(await ledger.readContent(large), undefined);
  const [again] = await ledger.append([unavailableEvent(subject, "neighbour")]);
  assert.equal(again?.event.sequence, 2);

  const fill = async (): Promise<void> => {
    for (let index = 0; index < 1000; index += 1) await ledger.append([unavailableEvent(subject, `fill-${index}`)]);
  };
  await assert.rejects(fill(), code("AUDIT_UNAVAILABLE"));
  await assert.rejects(ledger.openSession(openingOf({ ...subject, session_id: "late" })), code("AUDIT_UNAVAILABLE"));
  assert.equal(await ledger.findSession({ ...key, sessionId: "late" }), undefined);
  const events = await ledger.readEvents({ ...key, after: 0, limit: 2000 });
  assert.equal((await ledger.findSession(key))?.last_seq, events.length);
});

test("a lock that another holds is waited for, and is AUDIT_UNAVAILABLE when it stays", async () => {
  await using store = await openTemporaryLedger({ timeoutMs: 150 });
  await store.ledger.openSession(openingOf(subject));
  using other = new DatabaseSync(store.file);
  other.exec("BEGIN IMMEDIATE");
  await assert.rejects(store.ledger.append([unavailableEvent(subject, "a")]), code("AUDIT_UNAVAILABLE"));
  await assert.rejects(store.ledger.checkWritable(), code("AUDIT_UNAVAILABLE"));
  assert.equal((await store.ledger.findSession(key))?.last_seq, 1, "readers do not wait for a writer");
  const waiting = store.ledger.append([unavailableEvent(subject, "a")]);
  setTimeout(() => other.exec("ROLLBACK"), 40);
  assert.equal((await waiting)[0]?.duplicate, false);
});

test("more writes than may wait are refused at once", async () => {
  await using store = await openTemporaryLedger({ maxWaiting: 3 });
  const { ledger } = store;
  await ledger.openSession(openingOf(subject));
  const outcomes = await Promise.allSettled(
    ["a", "b", "c", "d", "e"].map((name) => ledger.append([unavailableEvent(subject, name)])),
  );
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
  );
  const last = outcomes.at(-1);
  assert.ok(last?.status === "rejected" && code("AUDIT_UNAVAILABLE")(last.reason));
});

test("a file that was deleted or replaced takes no more writes", async () => {
  await using store = await openTemporaryLedger();
  const { ledger, file } = store;
  await ledger.openSession(openingOf(subject));
  await rename(file, `${file}.away`);
  await assert.rejects(ledger.append([unavailableEvent(subject, "a")]), code("AUDIT_UNAVAILABLE"));
  await assert.rejects(ledger.checkWritable(), code("AUDIT_UNAVAILABLE"));
  await writeFile(file, "");
  await assert.rejects(ledger.append([unavailableEvent(subject, "a")]), code("AUDIT_UNAVAILABLE"));
  await rm(file);
  await rename(`${file}.away`, file);
  assert.equal((await ledger.append([unavailableEvent(subject, "a")]))[0]?.event.sequence, 2);
});

test("a path or file that cannot hold the database is AUDIT_UNAVAILABLE at the start", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/ledger.sqlite`;
  await writeFile(file, "not a database, but long enough to be read as the header of one ".repeat(20));
  await assert.rejects(openSqliteLedger({ file, masterKeys }), code("AUDIT_UNAVAILABLE"));
  await assert.rejects(openSqliteLedger({ masterKeys, file: `${file}/below-a-file` }), code("AUDIT_UNAVAILABLE"));
  await assert.rejects(openSqliteLedger({ masterKeys, file: folder.path }), code("AUDIT_UNAVAILABLE"));
});

test("the folder is the owner's alone, and so are the file and its side files", async () => {
  await using store = await openTemporaryLedger();
  await store.ledger.openSession(openingOf(subject));
  const modes = await Promise.all(
    [dirname(store.file), store.file, `${store.file}-wal`, `${store.file}-shm`].map(
      async (path) => (await stat(path)).mode & 0o777,
    ),
  );
  assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o600]);
});

test("a file that others may read is closed to them", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/ledger.sqlite`;
  await writeFile(file, "", { mode: 0o644 });
  openSqliteFile(file, undefined).close();
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("the database itself refuses to change, drop, replace or reorder events, and to reopen a session", async () => {
  await using store = await openTemporaryLedger();
  await store.ledger.openSession(openingOf(subject));
  await store.ledger.append([unavailableEvent(subject, "a")]);
  using raw = new DatabaseSync(store.file, { timeout: 1000 });
  const attempts = [
    "UPDATE events SET json = '{}'",
    "DELETE FROM events WHERE seq = 2",
    "INSERT OR REPLACE INTO events SELECT * FROM events WHERE seq = 2",
    "INSERT OR REPLACE INTO events SELECT 2, 'other', tenant, session_id, 3, json FROM events WHERE seq = 2",
    "INSERT INTO events SELECT NULL, 'other', tenant, session_id, 4, json FROM events WHERE seq = 2",
    "DELETE FROM sessions",
  ];
  for (const sql of attempts) assert.throws(() => raw.exec(sql), /append-only|FOREIGN KEY/, sql);
  raw.exec("UPDATE sessions SET status = 'failed'");
  assert.throws(() => raw.exec("UPDATE sessions SET status = 'running'"), /terminal/);
});

test("the file is opened so that a power cut takes back nothing that was acknowledged", async () => {
  await using folder = await temporaryFolder();
  using database = openSqliteFile(`${folder.path}/ledger.sqlite`, undefined);
  const full = 2;
  assert.equal(database.prepare("PRAGMA synchronous").get()?.["synchronous"], full);
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
  assert.equal(database.prepare("PRAGMA foreign_keys").get()?.["foreign_keys"], 1);
});
