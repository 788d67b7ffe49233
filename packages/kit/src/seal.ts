import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce: nonce, ciphertext, tag. `place` says where the bytes belong; sealed
 * for one place they open at no other. A random nonce is safe for 2^32 seals by one key; a person makes far fewer.
 */
export function seal(key: Uint8Array, place: readonly string[], plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(bytesOfPlace(place));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]);
}

/** @throws Error when another key sealed it, or for another place, or it was changed */
export function unseal(key: Uint8Array, place: readonly string[], sealed: Uint8Array): Buffer {
  if (sealed.byteLength < nonceBytes + tagBytes) throw new Error("too short to be sealed");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(bytesOfPlace(place)).setAuthTag(sealed.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
}

/** JSON, so that no part can lend letters to its neighbour. */
function bytesOfPlace(place: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(place), "utf8");
}
