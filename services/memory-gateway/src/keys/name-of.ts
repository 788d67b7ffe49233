import { createHmac } from "node:crypto";

/**
 * A name for a text that only the key's holder can compute: it finds and compares what is stored, and whoever has the
 * database alone cannot try guesses on it. Hex.
 */
export function nameOf(key: Uint8Array, purpose: "lookup" | "content", text: string): string {
  return createHmac("sha256", key).update(`soma/memory-${purpose}/v1\n`).update(text).digest("hex");
}
