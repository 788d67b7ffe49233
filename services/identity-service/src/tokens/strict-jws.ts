import type { TokenRefusal } from "@soma/contracts/access";
import { tokenLimits } from "../token-limits.ts";
import { hasDoubledMember } from "./doubled-member.ts";

/** A token whose form is beyond doubt; nothing of it is proved yet. */
export interface StrictJws {
  readonly alg: string;
  readonly typ: string | undefined;
  readonly kid: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Whose JSON it is: our own is written in one way only, others' in any, as long as it has one meaning. */
type Writer = "ours" | "theirs";

/**
 * Looks at a token's form before any key is touched. Three parts of canonical base64url: lax decoders read several
 * texts as one token, which breaks whatever compares or lists tokens by their text. A name that stands twice in the
 * JSON means one thing to one parser and another to the next. Header: `alg`, `typ` and `kid` and nothing else, so that
 * `jku`, `x5u`, `jwk`, `x5c` and `crit` (RFC 8725, sections 3.10 and 2.10) have no reader. `none` and shared secrets
 * are no algorithm here, whatever key is named.
 *
 * @returns what it says of itself, or why it is not read.
 */
export function readStrictJws(token: string, writer: Writer): StrictJws | TokenRefusal {
  if (token.length > tokenLimits.tokenBytes) return "malformed";
  const [first, second, signature, ...more] = token.split(".");
  if (first === undefined || second === undefined || signature === undefined || more.length > 0) return "malformed";
  if (![first, second, signature].every((part) => isCanonicalBase64url(part))) return "malformed";
  const [header, payload] = [first, second].map((part) => parseObject(Buffer.from(part, "base64url"), writer));
  if (header === undefined || payload === undefined) return "malformed";
  const { alg, typ, kid, ...others } = header;
  if (typeof alg !== "string" || Object.keys(others).length > 0) return "header";
  if (/^(none|hs\d+)$/i.test(alg)) return "algorithm";
  if (typeof kid !== "string" || (typ !== undefined && typeof typ !== "string")) return "header";
  // Looked at last, so that `none`, which has no signature, is called by its name.
  return signature === "" ? "malformed" : { alg, typ, kid, payload };
}

function isCanonicalBase64url(part: string): boolean {
  // Encoding again also finds unused bits at the end that are not zero.
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

function parseObject(bytes: Uint8Array, writer: Writer): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    // For ours it also finds what a parser forgives: spaces, other spellings of a number or a letter.
    if (writer === "ours" ? JSON.stringify(value) !== text : hasDoubledMember(text)) return undefined;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}
