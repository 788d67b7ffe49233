import { ConfigError } from "@soma/kit/config";
import { assertKnownMigration, type Migration } from "./migration.ts";
import type { Query } from "./postgres-database.ts";
import { integerOf, textOf } from "./stored-row.ts";

/** Any number that nothing else in the database takes a lock by. */
const migrationLock = 7_307_180_202_611;

/**
 * Brings a database to the newest schema in the transaction of `query`. An advisory lock makes those wait that start at
 * the same time; they find it done.
 *
 * @throws Error when an applied file was changed, or the database was written by a newer version of the service
 */
export async function migratePostgres(
  query: Query,
  migrations: readonly Migration[],
  appliedAt: string,
): Promise<void> {
  await query("SELECT pg_advisory_xact_lock($1)", [migrationLock]);
  const [found] = await query("SELECT to_regclass('soma.schema_migrations') IS NOT NULL AS there");
  if (found?.["there"] !== true) {
    await query("CREATE SCHEMA IF NOT EXISTS soma");
    await query(`CREATE TABLE soma.schema_migrations (
      version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at text NOT NULL
    )`);
  }
  const applied = await query("SELECT version, name, checksum FROM soma.schema_migrations ORDER BY version");
  for (const row of applied)
    assertKnownMigration(migrations, integerOf(row, "version"), textOf(row, "name"), textOf(row, "checksum"));
  for (const { version, name, sql, checksum } of migrations.slice(applied.length)) {
    await query(sql);
    await query("INSERT INTO soma.schema_migrations VALUES ($1, $2, $3, $4)", [version, name, checksum, appliedAt]);
  }
}

/** @throws ConfigError when server or role cannot keep what the ledger promises */
export async function assertServerKeepsPromises(query: Query): Promise<void> {
  const [row = {}] = await query(
    `SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS durable,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS unbound`,
  );
  if (row["durable"] !== true) {
    throw new ConfigError(
      "DATABASE_URL names a server that runs with fsync or full_page_writes off; accepted: a server that keeps what it acknowledged",
    );
  }
  if (row["unbound"] !== false) {
    throw new ConfigError(
      "DATABASE_URL names a role that row-level security does not bind (SUPERUSER or BYPASSRLS); accepted: an ordinary role that owns the database or may create a schema in it",
    );
  }
}
