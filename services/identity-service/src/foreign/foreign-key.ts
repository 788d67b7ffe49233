import { createPublicKey, type KeyObject } from "node:crypto";
import type { IssuerAlgorithm } from "@soma/contracts/tenant";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { foreignLimits } from "./foreign-limits.ts";

const base64url = { pattern: "^[A-Za-z0-9_-]+$", maxLength: 2_048 } as const;

/** What of a key set is read (RFC 7517); what else stands in it is not looked at. */
const KeySet = Compile(
  Type.Object({
    keys: Type.Array(
      Type.Object({
        kty: Type.String(),
        kid: Type.Optional(Type.String()),
        use: Type.Optional(Type.String()),
        alg: Type.Optional(Type.String()),
        key_ops: Type.Optional(Type.Array(Type.String())),
        crv: Type.Optional(Type.String()),
        n: Type.Optional(Type.String(base64url)),
        e: Type.Optional(Type.String(base64url)),
        x: Type.Optional(Type.String(base64url)),
        y: Type.Optional(Type.String(base64url)),
      }),
      { maxItems: foreignLimits.keysInSet },
    ),
  }),
);

/** A key of a foreign issuer and what it may have signed with it. */
export interface ForeignKey {
  readonly publicKey: KeyObject;
  readonly algorithms: ReadonlySet<string>;
}

/** Which algorithms fit a key: the one that it was made for, and none that merely works. */
const algorithmsOf: Readonly<Record<string, readonly IssuerAlgorithm[]>> = {
  rsa: ["RS256", "PS256"],
  ec: ["ES256"],
  ed25519: ["EdDSA"],
};
const minRsaBits = 2_048;

/**
 * The keys of a set by their id, those alone that can verify signatures here: of a known type, strong enough, not meant
 * for something else, and the only one of its id. Undefined when it is no key set.
 */
export function readKeySet(value: unknown): ReadonlyMap<string, ForeignKey> | undefined {
  if (!KeySet.Check(value)) return undefined;
  const keys = new Map<string, ForeignKey>();
  const doubled = new Set<string>();
  for (const { kid, use, alg, key_ops: operations, kty, crv, n, e, x, y } of value.keys) {
    if (kid === undefined || (use ?? "sig") !== "sig" || operations?.includes("verify") === false) continue;
    // Public members alone: a private half that somebody published by mistake is not read.
    const publicKey = importKey({ kty, crv, n, e, x, y });
    const fitting = algorithmsOf[publicKey?.asymmetricKeyType ?? ""]?.filter((one) => (alg ?? one) === one) ?? [];
    if (publicKey === undefined || fitting.length === 0 || !isStrong(publicKey)) continue;
    if (keys.has(kid)) doubled.add(kid);
    keys.set(kid, { publicKey, algorithms: new Set(fitting) });
  }
  for (const kid of doubled) keys.delete(kid);
  return keys;
}

function importKey(members: Readonly<Record<string, string | undefined>>): KeyObject | undefined {
  const jwk = Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined));
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined;
  }
}

function isStrong({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === "rsa") return (details?.modulusLength ?? 0) >= minRsaBits;
  return type === "ed25519" || details?.namedCurve === "prime256v1";
}
