import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Opens a database file as the ledger needs it. A folder that is missing is made with 0700 and the file is 0600; SQLite
 * gives its side files the same mode.
 *
 * @throws an SQLite error when another process holds the lock for the moment
 */
export function openSqliteFile(file: string, maxBytes: number | undefined): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  // The lock is waited for outside SQLite, where waiting does not block the process.
  const database = new DatabaseSync(file, { timeout: 0, enableForeignKeyConstraints: true });
  try {
    const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"];
    // SQLite says so and goes on without: readers would then block the writer.
    if (mode !== "wal") throw new Error(`the file system of ${file} cannot hold a write-ahead log`);
    // FULL: without it a power cut may take back what was acknowledged (https://www.sqlite.org/pragma.html#pragma_synchronous).
    database.exec("PRAGMA synchronous = FULL");
    // What is deleted – a destroyed key, a text whose time is over – is overwritten and not left in free pages.
    database.exec("PRAGMA secure_delete = ON");
    if (maxBytes !== undefined) {
      const pageBytes = Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
      database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Cuts the write-ahead log to nothing. @throws an SQLite error of a lock while another process uses it */
export function truncateLog(database: DatabaseSync): void {
  const row = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  // No error of SQLite's, but a column that says so; as an error it is tried again like any other lock.
  if (row?.["busy"] !== 0) throw Object.assign(new Error("the write-ahead log is in use"), { errcode: 5 });
}

/** A check that the path still is the file that was opened: writes to a deleted file succeed and are gone. */
export function createSameFileCheck(file: string): () => void {
  const opened = statSync(file);
  return () => {
    const now = statSync(file);
    if (now.ino !== opened.ino || now.dev !== opened.dev) throw new Error(`${file} was replaced while it was open`);
  };
}
