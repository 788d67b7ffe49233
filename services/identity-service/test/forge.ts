import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { decodeJwt } from "jose";
import type { startIdentity } from "./start-identity.ts";

export type Running = Awaited<ReturnType<typeof startIdentity>>;
export type Json = Record<string, unknown>;

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with any header and claims, signed as the attacker – or, with our key, the service – would. */
export function forge(header: Json, claims: Json, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

/** The same with JSON as it is written here. */
export function forgeText(header: string, claims: string, key: KeyObject): string {
  const input = [header, claims].map((text) => Buffer.from(text).toString("base64url")).join(".");
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

export function rsaUnderOurKid({ header, claims }: Genuine): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const input = `${encode({ ...header, alg: "RS256" })}.${encode(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
}

export function actorsInARow(count: number): Json {
  return count === 1 ? { sub: "session-agent" } : { sub: "session-agent", act: actorsInARow(count - 1) };
}

export async function genuine(running: Running) {
  const token = await running.token();
  const { kid, privateKey, publicKey, publicJwk } = running.identity.keys.signingKey();
  const claims: Json = decodeJwt(token);
  return { token, kid, privateKey, publicKey, publicJwk, claims, header: { alg: "EdDSA", typ: "at+jwt", kid } };
}
export type Genuine = Awaited<ReturnType<typeof genuine>>;

/** The last character of an Ed25519 signature holds four bits that no byte needs. */
export function withUnusedBits(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(token.slice(-1));
  return token.slice(0, -1) + alphabet.charAt(last ^ 1);
}

export function hmacWithPublicKey({ header, claims, publicKey }: Genuine): string {
  const input = `${encode({ ...header, alg: "HS256" })}.${encode(claims)}`;
  const secret = publicKey.export({ type: "spki", format: "pem" });
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
