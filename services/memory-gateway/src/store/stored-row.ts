/** A row as a driver gives it; each of these reads one column and says which is not as agreed. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** @throws TypeError */
export function textOf(row: StoredRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} is no text`);
  return value;
}

/** @throws TypeError */
export function integerOf(row: StoredRow, column: string): number {
  const value = Number(row[column] ?? Number.NaN);
  if (!Number.isSafeInteger(value)) throw new TypeError(`column ${column} is no integer`);
  return value;
}

/** @throws TypeError */
export function numberOf(row: StoredRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new TypeError(`column ${column} is no number`);
  return value;
}

/** @throws TypeError */
export function bytesOf(row: StoredRow, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} holds no bytes`);
  return value;
}
