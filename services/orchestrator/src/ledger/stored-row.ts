/** A row as a database driver gives it; what a column holds is checked when it is read. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** @throws TypeError when the column is not text */
export function textOf(row: StoredRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} is not text`);
  return value;
}

/** @throws TypeError when the column is neither text nor NULL */
export function optionalTextOf(row: StoredRow, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** @throws TypeError when the column is not an integer that a number can hold */
export function integerOf(row: StoredRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new TypeError(`column ${column} is no integer`);
  return value;
}

/** @throws TypeError when the column is not a blob */
export function bytesOf(row: StoredRow, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} is not a blob`);
  return value;
}
