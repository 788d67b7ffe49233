import { hkdfSync, randomBytes } from "node:crypto";
import { readOrCreateSecretFile } from "@soma/kit/secret-file";

/** Keys that workers alone hold, one for each use, derived from one file. */
export interface WorkerKeys {
  /** Signs and checks permits (HMAC-SHA-256). */
  readonly permit: Buffer;
  /** Seals step tokens (AES-256-GCM). */
  readonly seal: Buffer;
}

/**
 * Reads the workers' key file, or makes it at the first start with owner-only permission. All workers of a deployment
 * must read the same file: a permit made by one is checked by another.
 */
export function loadWorkerKeys(path: string): WorkerKeys {
  return deriveWorkerKeys(readOrCreateSecretFile(path, () => randomBytes(32)));
}

/** @throws Error when the key is shorter than 32 bytes. */
export function deriveWorkerKeys(key: Uint8Array): WorkerKeys {
  if (key.byteLength < 32) throw new Error("the worker key must be at least 32 bytes");
  const derive = (use: string): Buffer => Buffer.from(hkdfSync("sha256", key, "", `soma/${use}/v1`, 32));
  return { permit: derive("permit"), seal: derive("seal") };
}
