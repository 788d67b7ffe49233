import type { SQLOutputValue } from "node:sqlite";

/** A row as `node:sqlite` gives it. */
export type SqliteRow = Record<string, SQLOutputValue>;

/** @throws TypeError when the column is not text */
export function textOf(row: SqliteRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} is not text`);
  return value;
}

/** @throws TypeError when the column is neither text nor NULL */
export function optionalTextOf(row: SqliteRow, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** @throws TypeError when the column is not an integer that a number can hold */
export function integerOf(row: SqliteRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new TypeError(`column ${column} is no integer`);
  return value;
}

/** @throws TypeError when the column is not a blob */
export function bytesOf(row: SqliteRow, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} is not a blob`);
  return value;
}
