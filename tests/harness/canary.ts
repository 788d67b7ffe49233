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
  // What stands before it can be 0, 1 or 2 bytes of a group of three. Letters that hold bits of neighbours are cut off,
  // and no more: a form of four letters would stand in any ciphertext by chance.
  for (const [before, begin] of [0, 2, 3].entries()) {
    const bytesBefore = " ".repeat(before);
    const text = Buffer.from(bytesBefore + word).toString("base64");
    const shared = [0, 3, 2][(before + Buffer.byteLength(word)) % 3] ?? 0;
    forms.push(text.slice(begin, text.length - shared));
  }
  return forms.find((form) => bytes.includes(form));
}

/** A SQLite file with its write-ahead log, as bytes on the disk. */
export function databaseBytes(file: string): Buffer {
  return Buffer.concat([file, `${file}-wal`].filter((path) => existsSync(path)).map((path) => readFileSync(path)));
}
