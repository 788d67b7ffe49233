import { createHash } from "node:crypto";
import type { Digest } from "@soma/contracts/ids";
import canonicalize from "canonicalize";

/**
 * RFC 8785 canonical JSON. Undefined members are left out; a value that JSON cannot carry (a function, a bigint, a
 * non-finite number, half a surrogate pair) is a `TypeError`.
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (error) {
    throw new TypeError("value has no canonical JSON form", { cause: error });
  }
  if (text === undefined) throw new TypeError("value has no JSON form");
  return text;
}

/** SHA-256 of UTF-8 text or bytes as `sha256:<hex>`. */
export function sha256(content: string | Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** SHA-256 over the canonical JSON of a value. */
export function digestOf(value: unknown): Digest {
  return sha256(canonicalJson(value));
}

/** SHA-256 over parts whose borders cannot be moved: each part is preceded by its length in bytes. */
export function digestOfParts(...parts: readonly string[]): Digest {
  return sha256(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(""));
}
