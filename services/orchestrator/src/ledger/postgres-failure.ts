/** The transaction lost to another one that went first; the same work again may succeed. */
export class LostRace extends Error {
  override readonly name = "LostRace";
}

/** Errors after which the same transaction is tried again (https://www.postgresql.org/docs/15/errcodes-appendix.html). */
const raceCodes: ReadonlySet<string> = new Set(["40001" /* serialization_failure */, "40P01" /* deadlock_detected */]);

/** Classes of errors that say the store cannot be used now, whatever the statement was. */
const storeClasses: ReadonlySet<string> = new Set([
  "08" /* connection */,
  "28" /* authorization */,
  "3D" /* no such database */,
  "53" /* resources, e.g. a full disk */,
  "57" /* operator intervention, shutdown, time-out */,
  "58" /* input and output */,
  "XX" /* corrupted */,
]);

const storeCodes: ReadonlySet<string> = new Set([
  "25006" /* read-only: a standby, or a disk set aside */,
  "25P03" /* idle in transaction too long */,
  "55P03" /* lock not available in time */,
]);

/** What to do about an error of the driver: try again, report the store as down, or let it pass as it is. */
export function postgresFailureOf(error: unknown): "race" | "store" | undefined {
  if (!(error instanceof Error) || error instanceof TypeError) return undefined;
  const code: unknown = Reflect.get(error, "code");
  // The driver's own errors carry no SQLSTATE: no connection, a connection that ended, no answer in time.
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return "store";
  if (raceCodes.has(code)) return "race";
  return storeClasses.has(code.slice(0, 2)) || storeCodes.has(code) ? "store" : undefined;
}
