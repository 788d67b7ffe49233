import { createHash } from "node:crypto";
import { isObject, type Json } from "./format.ts";

/** Empty for half a surrogate pair, which has no bytes in UTF-8. */
export function sha256(content: string): string {
  if (!content.isWellFormed()) return "";
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Of texts whose borders cannot be moved. */
export function partsDigest(...parts: readonly string[]): string {
  return sha256(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(""));
}

/** Nothing for an event that has no canonical form: no hash is its hash. */
export function hashOf(event: Json): string | undefined {
  try {
    return sha256(canonicalJson({ ...event, hash: undefined }));
  } catch {
    return undefined;
  }
}

/**
 * RFC 8785: members sorted by UTF-16 code units, no white space, numbers and strings as ECMAScript writes them. Throws
 * for a number out of range and for half a surrogate pair.
 */
function canonicalJson(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("a number out of range");
  if (typeof value === "string" && !value.isWellFormed()) throw new RangeError("half a surrogate pair");
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names
    .toSorted()
    .map((name) => `${canonicalJson(name)}:${canonicalJson(value[name])}`)
    .join(",")}}`;
}
