import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import type { Migration } from "../../src/ledger/migration.ts";
import { PostgresDatabase } from "../../src/ledger/postgres-database.ts";
import { migratePostgres } from "../../src/ledger/postgres-migrate.ts";
import { postgresMissing, startPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { runWriter } from "./writer-process.ts";

const now = "2026-03-01T00:00:00.000Z";

function migration(version: number, sql: string): Migration {
  return { version, name: `000${version}-test.sql`, sql, checksum: sha256(sql) };
}

const one = migration(1, "CREATE TABLE soma.one (a text)");
const two = migration(2, "CREATE TABLE soma.two (a text); INSERT INTO soma.two VALUES ('once')");

describe("migrations in PostgreSQL", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgresServer();
  });
  after(() => server[Symbol.asyncDispose]());

  async function freshDatabase() {
    const url = server.urlOf(await server.createDatabase());
    const database = new PostgresDatabase({ url, maxConnections: 4, timeoutMs: 5000 });
    return {
      migrate: (...migrations: Migration[]) =>
        database.withoutTenant((query) => migratePostgres(query, migrations, now)),
      ask: (sql: string) => database.withoutTenant((query) => query(sql)),
      [Symbol.asyncDispose]: () => database.close(),
    };
  }

  test("each is applied once, a new one later, also by several at once, and checksums are recorded", async () => {
    await using database = await freshDatabase();
    await database.migrate(one);
    await Promise.all([1, 2, 3, 4].map(() => database.migrate(one, two)));
    assert.deepEqual(
      await database.ask("SELECT version, name, checksum FROM soma.schema_migrations ORDER BY version"),
      [
        { version: 1, name: one.name, checksum: one.checksum },
        { version: 2, name: two.name, checksum: two.checksum },
      ],
    );
    assert.equal((await database.ask("SELECT * FROM soma.two")).length, 1);
  });

  test("an applied file that was changed, or a newer version's, stops the start", async () => {
    await using database = await freshDatabase();
    await database.migrate(one, two);
    await assert.rejects(database.migrate(migration(1, "SELECT 1"), two), /0001-test\.sql was changed/);
    await assert.rejects(database.migrate(one), /0002-test\.sql.*newer version/);
  });

  test("one that fails leaves nothing of itself and of those beside it", async () => {
    await using database = await freshDatabase();
    await assert.rejects(
      database.migrate(one, migration(2, "CREATE TABLE soma.x (a text); CREATE NONSENSE")),
      /syntax/,
    );
    const [found] = await database.ask("SELECT count(*)::integer AS schemas FROM pg_namespace WHERE nspname = 'soma'");
    assert.deepEqual(found, { schemas: 0 });
  });

  test("four processes that start at once migrate a fresh database once and append to one session without a gap", async () => {
    const url = server.urlOf(await server.createDatabase());
    const acknowledged = await Promise.all(
      ["one", "two", "three", "four"].map((writer) => runWriter([url, "sess-1", writer, "40"])),
    );
    const sequences = acknowledged.flatMap((writer) => Array.from(writer.keys())).toSorted((a, b) => a - b);
    assert.deepEqual(
      sequences,
      Array.from({ length: 160 }, (_, index) => index + 2),
    );
  });
});
