import { randomBytes, randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

/** A word that stands nowhere by chance. */
export function newCanary(): string {
  return `canary${randomBytes(8).toString("hex")}`;
}

/** A one-time code that nobody else uses. */
export function newCode(): string {
  return String(randomInt(10_000_000, 100_000_000));
}

/** The first of the forms in which some bytes hold a word: as it is, or in base64, wherever it begins there. */
export function formIn(bytes: string | Buffer, word: string): string | undefined {
  const forms = [word];
  for (const before of [0, 1, 2]) {
    const text = Buffer.from(" ".repeat(before) + word).toString("base64");
    // The letters at both ends belong to the neighbours, too.
    forms.push(text.slice(before === 0 ? 0 : 4, text.length - 4));
  }
  return forms.find((form) => bytes.includes(form));
}

/** A SQLite file with its write-ahead log, as bytes on the disk. */
export function databaseBytes(file: string): Buffer {
  return Buffer.concat([file, `${file}-wal`].filter((path) => existsSync(path)).map((path) => readFileSync(path)));
}
