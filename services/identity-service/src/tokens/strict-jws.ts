import { tokenLimits } from "../token-limits.ts";

/** The header of a token whose form is beyond doubt. */
export interface StrictHeader {
  readonly alg: string;
  readonly typ: string;
  readonly kid: string;
}

/**
 * Looks at a token's form before any key is touched. Three parts of canonical base64url: lax decoders read several
 * texts as one token, which breaks whatever compares or lists tokens by their text. For the same reason the JSON in
 * them must be as we write it: a name that stands twice means one thing to one parser and another to the next. Header: `alg`, `typ` and `kid` and
 * nothing else, so that `jku`, `x5u`, `jwk`, `x5c` and `crit` (RFC 8725, sections 3.10 and 2.10) have no reader.
 *
 * @returns the header, or why there is none.
 */
export function readStrictHeader(token: string): StrictHeader | "malformed" | "header" {
  if (token.length > tokenLimits.tokenBytes) return "malformed";
  const parts = token.split(".");
  if (parts.length !== 3 || !parts.every((part) => isCanonicalBase64url(part))) return "malformed";
  const [header, payload] = parts.slice(0, 2).map((part) => parseObject(Buffer.from(part, "base64url")));
  if (header === undefined || payload === undefined) return "malformed";
  const { alg, typ, kid, ...others } = header;
  if (typeof alg !== "string" || typeof typ !== "string" || typeof kid !== "string") return "header";
  return Object.keys(others).length === 0 ? { alg, typ, kid } : "header";
}

function isCanonicalBase64url(part: string): boolean {
  // Encoding again also finds unused bits at the end that are not zero.
  return part !== "" && Buffer.from(part, "base64url").toString("base64url") === part;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    // Also finds what a parser forgives: names that stand twice, spaces, other spellings of a number or a letter.
    if (JSON.stringify(value) !== text) return undefined;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}
