import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { readMigrations } from "../../src/ledger/migration.ts";
import { migrateSqlite } from "../../src/ledger/sqlite-migrate.ts";
import { temporaryFolder } from "./sqlite-store.ts";

async function foldersOf(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  for (const [name, sql] of Object.entries(files)) await writeFile(`${folder.path}/${name}`, sql);
  return { url: pathToFileURL(`${folder.path}/`), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const now = "2026-03-01T00:00:00.000Z";
const one = { "0001-one.sql": "CREATE TABLE one (a TEXT) STRICT" };
const two = { ...one, "0002-two.sql": "CREATE TABLE two (a TEXT) STRICT" };

test("each migration is applied once, a new one later", async () => {
  await using first = await foldersOf(one);
  await using second = await foldersOf(two);
  using database = new DatabaseSync(":memory:");
  migrateSqlite(database, readMigrations(first.url), now);
  migrateSqlite(database, readMigrations(first.url), now);
  migrateSqlite(database, readMigrations(second.url), now);
  const names = database.prepare("SELECT name FROM schema_migrations ORDER BY version").all();
  assert.deepEqual(
    names.map(({ name }) => name),
    ["0001-one.sql", "0002-two.sql"],
  );
});

test("an applied file that was changed stops the start and names the file", async () => {
  await using first = await foldersOf(one);
  await using changed = await foldersOf({ "0001-one.sql": "CREATE TABLE one (b TEXT) STRICT" });
  using database = new DatabaseSync(":memory:");
  migrateSqlite(database, readMigrations(first.url), now);
  assert.throws(() => migrateSqlite(database, readMigrations(changed.url), now), /0001-one\.sql was changed/);
  assert.equal(database.isTransaction, false);
});

test("a database of a newer version stops the start", async () => {
  await using newer = await foldersOf(two);
  await using older = await foldersOf(one);
  using database = new DatabaseSync(":memory:");
  migrateSqlite(database, readMigrations(newer.url), now);
  assert.throws(() => migrateSqlite(database, readMigrations(older.url), now), /0002-two\.sql.*newer version/);
});

test("a migration that fails leaves nothing of itself and of those beside it", async () => {
  await using broken = await foldersOf({ ...one, "0002-two.sql": "CREATE TABLE two (a TEXT); CREATE NONSENSE" });
  using database = new DatabaseSync(":memory:");
  assert.throws(() => migrateSqlite(database, readMigrations(broken.url), now), /syntax/);
  assert.deepEqual(database.prepare("SELECT name FROM sqlite_schema").all(), []);
});

test("files out of number are refused", async () => {
  await using gap = await foldersOf({ "0002-two.sql": "SELECT 1" });
  await using stray = await foldersOf({ ...one, "notes.txt": "" });
  assert.throws(() => readMigrations(gap.url), /not number 1/);
  assert.throws(() => readMigrations(stray.url), /not number 2/);
});
