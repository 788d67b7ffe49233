import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Reads a file that only its owner may read, and makes it first when it is missing. Several processes may do so at
 * once: the file appears whole or not at all (written aside, then linked), and all of them read the same bytes.
 *
 * @throws Error when the file can be read by others: a key that leaked must be noticed, not used.
 */
export function readOrCreateSecretFile(path: string, make: () => Uint8Array): Buffer {
  try {
    return readSecretFile(path);
  } catch (error) {
    if (!isNodeError(error, "ENOENT")) throw error;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${String(process.pid)}.${randomBytes(4).toString("hex")}`;
  writeFileSync(aside, make(), { mode: 0o600, flag: "wx", flush: true });
  try {
    linkSync(aside, path);
  } catch (error) {
    if (!isNodeError(error, "EEXIST")) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  return readSecretFile(path);
}

/** Reads a secret that must exist. @throws Error when group or others may read it. */
export function readSecretFile(path: string): Buffer {
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new Error(`${path} can be read by others (mode ${mode.toString(8)}); run: chmod 600 ${path}`);
  return readFileSync(path);
}

/** True for an error of Node's own with this code. */
export function isNodeError(error: unknown, code: string): boolean {
  return error instanceof Error && Reflect.get(error, "code") === code;
}
