import type { DatabaseSync } from "node:sqlite";
import { assertKnownMigration, type Migration } from "./migration.ts";
import { integerOf, textOf } from "./stored-row.ts";

/**
 * Brings a database to the newest schema in one transaction that holds the write lock, so that of several processes
 * that start at once one migrates and the others find it done.
 *
 * @throws Error when an applied file was changed, or the database was written by a newer version of the service
 */
export function migrateSqlite(database: DatabaseSync, migrations: readonly Migration[], appliedAt: string): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    database.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
      version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL
    ) STRICT`);
    const applied = database.prepare("SELECT version, name, checksum FROM schema_migrations ORDER BY version").all();
    for (const row of applied)
      assertKnownMigration(migrations, integerOf(row, "version"), textOf(row, "name"), textOf(row, "checksum"));
    const insert = database.prepare("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)");
    for (const { version, name, sql, checksum } of migrations.slice(applied.length)) {
      database.exec(sql);
      insert.run(version, name, checksum, appliedAt);
    }
    database.exec("COMMIT");
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}
