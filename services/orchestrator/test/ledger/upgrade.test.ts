import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import { newContent } from "../../src/ledger/content.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { readMigrations } from "../../src/ledger/migration.ts";
import { openPostgresLedger } from "../../src/ledger/postgres-ledger.ts";
import { PostgresDatabase } from "../../src/ledger/postgres-database.ts";
import { migratePostgres } from "../../src/ledger/postgres-migrate.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { migrateSqlite } from "../../src/ledger/sqlite-migrate.ts";
import { textOf } from "../../src/ledger/stored-row.ts";
import { foundTenant, serviceActor } from "../../src/tenants/found-tenant.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { postgresMissing, startPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { openFreshLedger } from "./postgres-store.ts";
import { completedEvent, openingOf, stepEvents } from "./sample-events.ts";
import { openTemporaryLedger, temporaryFolder } from "./sqlite-store.ts";

/** The last migration before sessions had an end, and texts their names, in the database itself. */
const versionBefore = 5;
const tenant = "tenant-a";
const now = "2026-03-01T00:00:00.000Z";

/** A session that ended, one that runs, and a text that both name. */
async function tellStory(ledger: Ledger): Promise<void> {
  await ledger.tenants.append({ events: [foundTenant(tenant)] });
  const ended = { tenant, session_id: "ended" };
  await ledger.openSession(openingOf(ended, "shared words"));
  const events = [...stepEvents(ended, "completion-1", "own words"), completedEvent(ended, "own words")];
  await ledger.append(events, [newContent({ tenant, user: "user-1" }, "text/plain", "own words")]);
  await ledger.openSession(openingOf({ tenant, session_id: "running" }, "shared words"));
}

const madeAnew = {
  names: "SELECT session_id, digest, tenant, user_id FROM content_names ORDER BY session_id, digest",
  ends: "SELECT session_id, ended_at FROM sessions ORDER BY session_id",
};

/** What the version after finds is what it would have written itself, and acts on. */
async function assertCuts(ledger: Ledger): Promise<void> {
  const applied = await ledger.retention.apply({
    tenant,
    before: "2026-03-02T00:00:00.000Z",
    delivered: false,
    limit: 10,
    actor: serviceActor,
  });
  assert.deepEqual(applied, { sessions: 1, events: 4 });
  const read = (text: string) => ledger.readContent({ tenant, user: "user-1", digest: sha256(text) });
  assert.equal(await read("own words"), undefined);
  assert.equal(Buffer.from((await read("shared words")) ?? []).toString(), "shared words");
}

test("a SQLite ledger of the version before sessions had ends is brought up with what it holds", async () => {
  await using written = await openTemporaryLedger({ now: () => new Date(now) });
  await tellStory(written.ledger);
  await using folder = await temporaryFolder();
  const file = join(folder.path, "ledger.sqlite");
  {
    using old = new DatabaseSync(file);
    const migrations = readMigrations(new URL("../../src/ledger/migrations/sqlite/", import.meta.url));
    migrateSqlite(old, migrations.slice(0, versionBefore), now);
    old.exec(`ATTACH '${written.file}' AS written`);
    const tables = old.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE '%sqlite%'");
    for (const row of tables.all()) {
      const name = textOf(row, "name");
      if (name === "schema_migrations") continue;
      const columns = old.prepare(`SELECT name FROM pragma_table_info('${name}')`).all();
      const list = columns.map((column) => textOf(column, "name")).join(", ");
      old.exec(`INSERT OR REPLACE INTO main.${name} (${list}) SELECT ${list} FROM written.${name}`);
    }
  }
  const ledger = await openSqliteLedger({ file, masterKeys, now: () => new Date(now) });
  try {
    using upgraded = new DatabaseSync(file, { readOnly: true });
    for (const [what, sql] of Object.entries(madeAnew))
      assert.deepEqual(upgraded.prepare(sql).all(), await written.sql(sql), what);
    await assertCuts(ledger);
  } finally {
    await ledger.close();
  }
});

describe("PostgreSQL", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgresServer();
  });
  after(() => server[Symbol.asyncDispose]());

  test("a PostgreSQL ledger of the version before sessions had ends is brought up with what it holds", async () => {
    await using written = await openFreshLedger(server, { now: () => new Date(now) });
    await tellStory(written.ledger);
    const name = await server.createDatabase();
    const url = server.urlOf(name);
    const old = new PostgresDatabase({ url, maxConnections: 1, timeoutMs: 5_000 });
    const migrations = readMigrations(new URL("../../src/ledger/migrations/postgres/", import.meta.url));
    await old.withoutTenant((query) => migratePostgres(query, migrations.slice(0, versionBefore), now));
    await old.close();
    const tables = await server.asSuperuser(name, "SELECT tablename FROM pg_tables WHERE schemaname = 'soma'");
    for (const table of tables.map((row) => textOf(row, "tablename"))) {
      if (table === "schema_migrations") continue;
      const [row] = await server.asSuperuser(written.database, `SELECT json_agg(t)::text AS rows FROM soma.${table} t`);
      const rows = row?.["rows"];
      if (typeof rows !== "string") continue;
      await server.asSuperuser(
        name,
        `SET session_replication_role = replica;
         INSERT INTO soma.${table} SELECT * FROM json_populate_recordset(NULL::soma.${table}, $rows$${rows}$rows$)
         ON CONFLICT DO NOTHING`,
      );
    }
    const ledger = await openPostgresLedger({ url, maxConnections: 2, masterKeys, now: () => new Date(now) });
    try {
      for (const [what, sql] of Object.entries(madeAnew))
        assert.deepEqual(await server.asSuperuser(name, sql), await written.sql(sql), what);
      await assertCuts(ledger);
    } finally {
      await ledger.close();
    }
  });
});
