import { createHash, randomBytes } from "node:crypto";
import { ConfigError } from "@soma/kit/config";
import { readOrCreateSecretFile } from "@soma/kit/secret-file";

export interface MasterKey {
  /** `mk_` and 16 hex digits of a hash of the key: names it and gives nothing away. */
  readonly id: string;
  readonly key: Buffer;
}

/** The keys that wrap subjects' keys: the first is current, the others only unwrap. */
export interface MasterKeys {
  readonly current: MasterKey;
  readonly all: ReadonlyMap<string, MasterKey>;
}

const keyBytes = 32;
const encoded = /^[A-Za-z0-9+/]{43}=$/;

/** Reads the master keys; a file that is missing is made with one random key, for its owner alone. @throws ConfigError */
export function loadMasterKeys(path: string): MasterKeys {
  const keys = readKeyFile(path)
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => {
      const key = Buffer.from(word, "base64");
      if (!encoded.test(word) || key.byteLength !== keyBytes) throw unreadable();
      return { id: idOf(key), key };
    });
  const [current] = keys;
  if (current === undefined) throw unreadable();
  return { current, all: new Map(keys.map((each) => [each.id, each])) };
}

function readKeyFile(path: string): string {
  try {
    const make = (): Buffer => Buffer.from(`${randomBytes(keyBytes).toString("base64")}\n`);
    return readOrCreateSecretFile(path, make).toString("utf8");
  } catch (error) {
    throw new ConfigError(`MEMORY_MASTER_KEY_FILE: ${error instanceof Error ? error.message : "cannot be read"}`);
  }
}

function idOf(key: Uint8Array): string {
  return `mk_${createHash("sha256").update("soma/memory-master-key/v1\n").update(key).digest("hex").slice(0, 16)}`;
}

function unreadable(): ConfigError {
  return new ConfigError(
    "MEMORY_MASTER_KEY_FILE holds <hidden>; accepted: 32 random bytes in base64, or several such keys on lines of their own, the current one first",
  );
}
