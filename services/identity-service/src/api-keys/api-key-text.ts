import { createHash, randomBytes, randomInt } from "node:crypto";
import { apiKeyPrefix, apiKeyUserPrefix } from "@soma/contracts/wire-names";

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
const keyIdLength = 16;
const pattern = new RegExp(`^${apiKeyPrefix}([a-z0-9]{${String(keyIdLength)}})_([A-Za-z0-9_-]{43})$`);

/** Whether a bearer token claims to be an API key; none of ours that is a JWT can. */
export function isApiKeyText(token: string): boolean {
  return token.startsWith(apiKeyPrefix);
}

/** The id of an API key and the digest of its secret; undefined for what is not of its form. */
export function readApiKeyText(token: string): { readonly keyId: string; readonly secretDigest: Buffer } | undefined {
  const [, keyId, secret] = pattern.exec(token) ?? [];
  return keyId === undefined || secret === undefined ? undefined : { keyId, secretDigest: digestOfSecret(secret) };
}

export function makeKeyId(): string {
  return Array.from({ length: keyIdLength }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

/** A new secret for a key: the text that is shown once, and what is kept of it. */
export function makeSecret(keyId: string): { readonly text: string; readonly secretDigest: Buffer } {
  const secret = randomBytes(32).toString("base64url");
  return { text: `${apiKeyPrefix}${keyId}_${secret}`, secretDigest: digestOfSecret(secret) };
}

/** The user as which a key acts; also the id of the token that it stands for, so that revoking that ends its sessions. */
export function userOfKey(keyId: string): string {
  return apiKeyUserPrefix + keyId;
}

/** The key that acts as a user, if one can. */
export function keyOfUser(user: string): string | undefined {
  return user.startsWith(apiKeyUserPrefix) ? user.slice(apiKeyUserPrefix.length) : undefined;
}

/** Plain SHA-256 is enough: a secret of 256 random bits cannot be guessed, however fast the guesses are. */
function digestOfSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
