/** Primary result codes (https://www.sqlite.org/rescode.html) of a lock that another process holds for a moment. */
const lockCodes: ReadonlySet<number> = new Set([5 /* BUSY */, 6 /* LOCKED */]);

/** Primary result codes that say the file cannot be used now, whatever the statement was. */
const storageCodes: ReadonlySet<number> = new Set([
  7 /* NOMEM */, 8 /* READONLY */, 10 /* IOERR */, 11 /* CORRUPT */, 13 /* FULL */, 14 /* CANTOPEN */,
  15 /* PROTOCOL */, 22 /* NOLFS */, 26 /* NOTADB */,
]);

/** What to do about an error: wait for the lock, report the store as down, or let it pass as it is. */
export function sqliteFailureOf(error: unknown): "locked" | "storage" | undefined {
  if (!(error instanceof Error)) return undefined;
  // An error of the file system itself, e.g. while the folder is made.
  if (Reflect.get(error, "syscall") !== undefined) return "storage";
  const code: unknown = Reflect.get(error, "errcode");
  // The low byte of an extended code is the primary one.
  const primary = typeof code === "number" ? code & 0xff : -1;
  if (lockCodes.has(primary)) return "locked";
  return storageCodes.has(primary) ? "storage" : undefined;
}
