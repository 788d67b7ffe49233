import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "@soma/kit/config";
import { isNodeError } from "@soma/kit/secret-file";
import { calculateJwkThumbprint, importJWK, type CryptoKey } from "jose";
import { Type, type Static } from "typebox";
import { Value } from "typebox/value";

const PublicKey = Type.Object({
  kty: Type.Literal("OKP"),
  crv: Type.Literal("Ed25519"),
  x: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" }),
});
const KeySet = Type.Object({ keys: Type.Array(PublicKey) });

/** Between two looks at the file, in milliseconds. */
const lookAgainMs = 1_000;

/**
 * The public keys of the gateways, from a file with one JWK on each line or a JWK Set. The file is looked at again when
 * it changed, so that a key is added or taken away without a restart; one that is missing holds no key, since the
 * gateway may start after us and makes its key itself.
 */
export class GatewayKeys {
  readonly #file: string;
  readonly #clock: () => number;
  #keys: ReadonlyMap<string, CryptoKey> = new Map();
  #version = "";
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(file: string, clock: () => number = () => performance.now()) {
    this.#file = file;
    this.#clock = clock;
  }

  /** The key of this id (RFC 7638 thumbprint); undefined for one that is not in the file. */
  async find(kid: string): Promise<CryptoKey | undefined> {
    if (this.#clock() - this.#lookedAt >= lookAgainMs) await (this.#looking ??= this.#look());
    return this.#keys.get(kid);
  }

  /** @throws ConfigError when the file is there and holds something else than public keys. */
  async load(): Promise<void> {
    const version = versionOf(this.#file);
    if (version === this.#version) return;
    this.#keys = version === "" ? new Map() : await parseKeys(this.#file, readFileSync(this.#file, "utf8"));
    this.#version = version;
  }

  async #look(): Promise<void> {
    this.#lookedAt = this.#clock();
    try {
      await this.load();
    } catch (error) {
      // Half-written, or spoilt: the keys before stay in force, as with every file that is read while we run.
      if (!(error instanceof ConfigError)) throw error;
    } finally {
      this.#looking = undefined;
    }
  }
}

/** Empty for a file that is not there. */
function versionOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${String(mtimeMs)}:${String(size)}:${String(ino)}`;
  } catch (error) {
    if (isNodeError(error, "ENOENT")) return "";
    throw error;
  }
}

async function parseKeys(file: string, text: string): Promise<Map<string, CryptoKey>> {
  const keys = new Map<string, CryptoKey>();
  for (const { kty, crv, x } of readJwks(file, text)) {
    // What else the entry says of itself – an id, a private half – is not taken over.
    const jwk = { kty, crv, x };
    const key = await importJWK(jwk, "EdDSA");
    if (key instanceof Uint8Array) throw refused(file);
    keys.set(await calculateJwkThumbprint(jwk), key);
  }
  return keys;
}

function readJwks(file: string, text: string): Static<typeof PublicKey>[] {
  const whole = parseJson(text);
  if (Value.Check(KeySet, whole)) return whole.keys;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const entry = parseJson(line);
    if (!Value.Check(PublicKey, entry)) throw refused(file);
    return entry;
  });
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function refused(file: string): ConfigError {
  return new ConfigError(
    `GATEWAY_PUBLIC_KEY_FILE ${file} holds something else; accepted: Ed25519 public keys, one JWK on each line, or a JWK Set`,
  );
}
