import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { DomainError } from "@soma/kit/domain-error";

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts a step's token for the workers alone (AES-256-GCM), bound to the step's effect key, so that what stands in
 * Temporal's history is of no use to who reads it and of no use for another step.
 */
export function sealToken(key: Uint8Array, token: string, effectKey: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(effectKey));
  const body = Buffer.concat([cipher.update(token, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64url");
}

/** @throws DomainError PERMIT_INVALID when it was sealed by another key or for another step, or was changed. */
export function openToken(key: Uint8Array, sealed: string, effectKey: string): string {
  const bytes = Buffer.from(sealed, "base64url");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(effectKey)).setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8");
  } catch (error) {
    throw new DomainError("PERMIT_INVALID", "The step's token cannot be opened.", { cause: error });
  }
}
