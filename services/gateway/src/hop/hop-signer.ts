import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { hopIssuer, hopLimits, hopTokenType } from "@soma/contracts/hop";
import { orchestratorAudience } from "@soma/contracts/wire-names";
import { ConfigError } from "@soma/kit/config";
import { sha256 } from "@soma/kit/digest";
import { readOrCreateSecretFile } from "@soma/kit/secret-file";
import { calculateJwkThumbprint, SignJWT } from "jose";
import { Type } from "typebox";
import { Value } from "typebox/value";

/** What of a request its hop token is bound to. */
interface SignedRequest {
  readonly method: string;
  /** The request target as it goes out, query included. */
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly authorization?: string | undefined;
}

/** Signs one hop token for one request. */
export type SignHop = (request: SignedRequest) => Promise<string>;

const PrivateJwk = Type.Object({
  kty: Type.Literal("OKP"),
  crv: Type.Literal("Ed25519"),
  x: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" }),
  d: Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" }),
});

/**
 * Opens the gateway's own key, makes it first when it is missing, and writes its public half beside it as `<file>.pub`,
 * one JWK on one line, for the orchestrator to read.
 * @throws ConfigError when the file is no key, or others can read it.
 */
export async function openHopSigner(file: string): Promise<SignHop> {
  const jwk = readKey(file);
  const { kty, crv, x } = jwk;
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  publish(`${file}.pub`, { kty, crv, x, kid, use: "sig", alg: "EdDSA" });
  return ({ method, path, body, authorization }) => {
    const iat = Math.floor(Date.now() / 1_000);
    return new SignJWT({
      method,
      path,
      body_digest: sha256(body),
      authorization_digest: sha256(authorization ?? ""),
    })
      .setProtectedHeader({ alg: "EdDSA", typ: hopTokenType, kid })
      .setIssuer(hopIssuer)
      .setAudience(orchestratorAudience)
      .setJti(randomBytes(16).toString("base64url"))
      .setIssuedAt(iat)
      .setExpirationTime(iat + hopLimits.lifeSeconds)
      .sign(key);
  };
}

function readKey(file: string) {
  let text: string;
  try {
    text = readOrCreateSecretFile(file, makeKey).toString("utf8");
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : `${file} cannot be read`);
  }
  try {
    const jwk: unknown = JSON.parse(text);
    if (Value.Check(PrivateJwk, jwk)) return jwk;
  } catch {
    // The parser's words would quote the key.
  }
  throw new ConfigError(`${file} holds something else; accepted: a private Ed25519 JWK, or no file`);
}

function makeKey(): Buffer {
  const { kty, crv, x, d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  return Buffer.from(`${JSON.stringify({ kty, crv, x, d })}\n`);
}

/** Whole or not at all: the orchestrator may read it at any moment. */
function publish(file: string, jwk: Readonly<Record<string, string>>): void {
  const aside = `${file}.${String(process.pid)}`;
  writeFileSync(aside, `${JSON.stringify(jwk)}\n`, { mode: 0o644 });
  renameSync(aside, file);
}
