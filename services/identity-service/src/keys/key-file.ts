import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@soma/kit/config";
import { isNodeError, readOrCreateSecretFile, readSecretFile } from "@soma/kit/secret-file";
import { calculateJwkThumbprint } from "jose";
import { Type, type Static } from "typebox";
import { Compile } from "typebox/compile";

/** The one algorithm that a key is for, written in its file: a token cannot choose. */
const algorithm = "EdDSA";

/** The public half as it stands in the key set (RFC 8037). */
export const PublicJwk = Type.Object(
  {
    kty: Type.Literal("OKP"),
    crv: Type.Literal("Ed25519"),
    x: Type.String(),
    kid: Type.String({ description: "RFC 7638 thumbprint" }),
    use: Type.Literal("sig"),
    alg: Type.Literal(algorithm),
  },
  { additionalProperties: false },
);

/** One signing key. Never changes after it was made, so that processes need not agree on anything but its file. */
export interface SigningKey {
  readonly sequence: number;
  readonly kid: string;
  readonly alg: typeof algorithm;
  /** Signs from then on, in seconds since 1970; published and accepted before. */
  readonly activatesAt: number;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly publicJwk: Static<typeof PublicJwk>;
}

const KeyDocument = Compile(
  Type.Object({
    version: Type.Literal(1),
    alg: Type.Literal(algorithm),
    activates_at: Type.Integer({ minimum: 0 }),
    jwk: Type.Object({
      kty: Type.Literal("OKP"),
      crv: Type.Literal("Ed25519"),
      x: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" }),
      d: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" }),
    }),
  }),
);

const namePattern = /^key-(\d{6})\.json$/;

/** Makes the folder when it is missing. @throws ConfigError when others than its owner could read it or add a key. */
export function openKeyFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const mode = statSync(dir).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new ConfigError(`${dir} is open to others (mode ${mode.toString(8)}); run: chmod 700 ${dir}`);
}

/** All keys, oldest first. @throws ConfigError when a file can be read by others or is no key. */
export async function readKeys(dir: string): Promise<SigningKey[]> {
  const keys: SigningKey[] = [];
  for (const name of readdirSync(dir)) {
    const sequence = namePattern.exec(name)?.[1];
    if (sequence === undefined) continue;
    const path = join(dir, name);
    try {
      keys.push(await toKey(Number(sequence), path, readSecretFile(path)));
    } catch (error) {
      // Another process pruned it in between.
      if (!isNodeError(error, "ENOENT")) throw asConfigError(error);
    }
  }
  return keys.toSorted((one, other) => one.activatesAt - other.activatesAt || one.sequence - other.sequence);
}

/**
 * Makes the key with this number, unless another process was first: then that one's key stands. The number is what
 * makes several processes that rotate at the same time rotate once.
 */
export function createKey(dir: string, sequence: number, activatesAt: number): void {
  const path = pathOf(dir, sequence);
  readOrCreateSecretFile(path, () => {
    const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    return Buffer.from(JSON.stringify({ version: 1, alg: algorithm, activates_at: activatesAt, jwk }));
  });
}

/** Forgets a key that no valid token can be signed with any more. */
export function removeKey(dir: string, sequence: number): void {
  rmSync(pathOf(dir, sequence), { force: true });
}

function pathOf(dir: string, sequence: number): string {
  return join(dir, `key-${String(sequence).padStart(6, "0")}.json`);
}

async function toKey(sequence: number, path: string, content: Buffer): Promise<SigningKey> {
  const value = parseJson(content);
  if (!KeyDocument.Check(value)) throw new ConfigError(`${path} is not a key file of this version`);
  const { alg, activates_at: activatesAt, jwk } = value;
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  const { kty, crv, x } = jwk;
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  return {
    sequence,
    kid,
    alg,
    activatesAt,
    privateKey,
    publicKey: createPublicKey(privateKey),
    publicJwk: { kty, crv, x, kid, use: "sig", alg },
  };
}

function parseJson(content: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(content.toString("utf8"));
    return value;
  } catch {
    // The parser's message quotes the file, and the file is a private key.
    return undefined;
  }
}

function asConfigError(error: unknown): unknown {
  return error instanceof Error && !(error instanceof ConfigError) ? new ConfigError(error.message) : error;
}
