import { createHash, randomBytes } from "node:crypto";
import { ConfigError } from "@soma/kit/config";
import { readOrCreateSecretFile } from "@soma/kit/secret-file";

/** Where the master keys are configured; `variable` is what an operator is told. */
export type MasterKeySource =
  | { readonly variable: "CONTENT_MASTER_KEY"; readonly value: string }
  | { readonly variable: "CONTENT_MASTER_KEY_FILE"; readonly path: string };

interface MasterKey {
  /** `mk_` and 16 hex digits of a hash of the key: names it and gives nothing away. */
  readonly id: string;
  readonly key: Buffer;
}

/** The keys that wrap content keys: the first is current, the others only unwrap. */
export interface MasterKeys {
  readonly current: MasterKey;
  readonly all: ReadonlyMap<string, MasterKey>;
  /** The setting they come from. */
  readonly variable: MasterKeySource["variable"];
}

const keyBytes = 32;
const encoded = /^[A-Za-z0-9+/]{43}=$/;
const acceptedKeys =
  "32 random bytes in base64, or several such keys separated by commas or white space, the current one first";

/**
 * Reads the master keys. A file that is missing is made with one random key, for its owner alone.
 *
 * @throws ConfigError naming the setting, never what it holds
 */
export function loadMasterKeys(source: MasterKeySource): MasterKeys {
  return parseMasterKeys(source.variable, "value" in source ? source.value : readKeyFile(source.path));
}

/** @throws ConfigError for a text that holds no keys */
export function parseMasterKeys(variable: MasterKeySource["variable"], text: string): MasterKeys {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const keys = words.map((word) => {
    const key = Buffer.from(word, "base64");
    if (!encoded.test(word) || key.byteLength !== keyBytes) throw unreadable(variable);
    return { id: idOf(key), key };
  });
  const [current] = keys;
  if (current === undefined) throw unreadable(variable);
  return { current, all: new Map(keys.map((each) => [each.id, each])), variable };
}

function readKeyFile(path: string): string {
  try {
    const make = (): Buffer => Buffer.from(`${randomBytes(keyBytes).toString("base64")}\n`);
    return readOrCreateSecretFile(path, make).toString("utf8");
  } catch (error) {
    throw new ConfigError(`CONTENT_MASTER_KEY_FILE: ${error instanceof Error ? error.message : "cannot be read"}`);
  }
}

function idOf(key: Uint8Array): string {
  return `mk_${createHash("sha256").update("soma/content-master-key/v1\n").update(key).digest("hex").slice(0, 16)}`;
}

function unreadable(variable: string): ConfigError {
  return new ConfigError(`${variable} is <hidden>; accepted: ${acceptedKeys}`);
}
