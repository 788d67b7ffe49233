import { generateKeyPairSync, sign } from "node:crypto";
import type { TokenRefusal } from "@soma/contracts/access";
import {
  actorsInARow,
  encode,
  forge,
  forgeText,
  hmacWithPublicKey,
  rsaUnderOurKid,
  withUnusedBits,
  type Genuine,
} from "./forge.ts";

const attackers = generateKeyPairSync("ed25519");
const attackersJwk = attackers.publicKey.export({ format: "jwk" });
const foreign = generateKeyPairSync("rsa", { modulusLength: 2_048 });

/** As an issuer elsewhere signs its tokens, with a key that it publishes. */
function foreignToken(typ: string, claims: Record<string, unknown>): string {
  const input = `${encode({ alg: "RS256", typ, kid: "foreign-1" })}.${encode(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), foreign.privateKey).toString("base64url")}`;
}

/** What can be tried with a token, and the class of what is wrong with it; each is made of one that is good. */
export const attacks: readonly [title: string, reason: TokenRefusal, make: (from: Genuine) => string][] = [
  ["alg none", "algorithm", ({ header, claims }) => `${encode({ ...header, alg: "none" })}.${encode(claims)}.AA`],
  [
    "alg none without a signature",
    "algorithm",
    ({ header, claims }) => `${encode({ ...header, alg: "none" })}.${encode(claims)}.`,
  ],
  ["HS256 with the public key as the secret", "algorithm", hmacWithPublicKey],
  [
    "another name of the algorithm",
    "algorithm",
    ({ header, claims, privateKey }) => forge({ ...header, alg: "Ed25519" }, claims, privateKey),
  ],
  [
    "an unknown kid",
    "unknown_key",
    ({ header, claims }) => forge({ ...header, kid: "nobody" }, claims, attackers.privateKey),
  ],
  [
    "a kid that is a path",
    "unknown_key",
    ({ header, claims }) => forge({ ...header, kid: "../../dev/null" }, claims, attackers.privateKey),
  ],
  ["no kid", "header", ({ claims, privateKey }) => forge({ alg: "EdDSA", typ: "at+jwt" }, claims, privateKey)],
  ["another key under our kid", "signature", ({ header, claims }) => forge(header, claims, attackers.privateKey)],
  [
    "an embedded jwk",
    "header",
    ({ header, claims }) => forge({ ...header, jwk: attackersJwk }, claims, attackers.privateKey),
  ],
  [
    "jku, even when we signed",
    "header",
    ({ header, claims, privateKey }) => forge({ ...header, jku: "https://evil.example/k" }, claims, privateKey),
  ],
  [
    "x5u",
    "header",
    ({ header, claims, privateKey }) => forge({ ...header, x5u: "https://evil.example/c" }, claims, privateKey),
  ],
  [
    "a kid that is SQL",
    "unknown_key",
    ({ header, claims, kid }) => forge({ ...header, kid: `${kid}' OR '1'='1` }, claims, attackers.privateKey),
  ],
  [
    "a kid that is a URL",
    "unknown_key",
    ({ header, claims }) => forge({ ...header, kid: "https://evil.example/jwks" }, claims, attackers.privateKey),
  ],
  [
    "a kid with our own before a zero byte",
    "unknown_key",
    ({ header, claims, kid }) => forge({ ...header, kid: `${kid}\u0000.pem` }, claims, attackers.privateKey),
  ],
  [
    "a kid that every object has",
    "unknown_key",
    ({ header, claims }) => forge({ ...header, kid: "constructor" }, claims, attackers.privateKey),
  ],
  [
    "a kid that is a list with ours",
    "header",
    ({ header, claims, kid, privateKey }) => forge({ ...header, kid: [kid] }, claims, privateKey),
  ],
  ["RS256 under our kid", "algorithm", rsaUnderOurKid],
  [
    "b64, even when we signed",
    "header",
    ({ header, claims, privateKey }) => forge({ ...header, b64: false }, claims, privateKey),
  ],
  [
    "a name twice in the header",
    "malformed",
    ({ claims, kid, privateKey }) =>
      forgeText(`{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"${kid}"}`, JSON.stringify(claims), privateKey),
  ],
  [
    "a claim twice, even when we signed",
    "malformed",
    ({ header, claims, privateKey }) =>
      forgeText(JSON.stringify(header), JSON.stringify(claims).replace("{", '{"sub":"root",'), privateKey),
  ],
  [
    "claims in another spelling, even when we signed",
    "malformed",
    ({ header, claims, privateKey }) =>
      forgeText(JSON.stringify(header), JSON.stringify(claims).replace('"sub"', String.raw`"\u0073ub"`), privateKey),
  ],
  [
    "claims behind a byte order mark",
    "malformed",
    ({ header, claims, privateKey }) =>
      forgeText(JSON.stringify(header), `\uFEFF${JSON.stringify(claims)}`, privateKey),
  ],
  [
    "not before a time to come",
    "not_yet_valid",
    ({ header, claims, privateKey }) => forge(header, { ...claims, nbf: Number(claims["iat"]) + 3_600 }, privateKey),
  ],
  [
    "an exp as text",
    "claims",
    ({ header, claims, privateKey }) => forge(header, { ...claims, exp: String(claims["exp"]) }, privateKey),
  ],
  [
    "a chain of five actors, even when we signed",
    "claims",
    ({ header, claims, privateKey }) => forge(header, { ...claims, act: actorsInARow(5) }, privateKey),
  ],
  [
    "17 origins, even when we signed",
    "claims",
    ({ header, claims, privateKey }) =>
      forge(
        header,
        { ...claims, origins: Array.from({ length: 17 }, (_, index) => `jti-${String(index)}`) },
        privateKey,
      ),
  ],
  ["x5c", "header", ({ header, claims, privateKey }) => forge({ ...header, x5c: ["AA"] }, claims, privateKey)],
  [
    "crit",
    "header",
    ({ header, claims, privateKey }) => forge({ ...header, crit: ["exp"], exp: 1 }, claims, privateKey),
  ],
  ["typ JWT", "type", ({ header, claims, privateKey }) => forge({ ...header, typ: "JWT" }, claims, privateKey)],
  [
    "typ with the media type's prefix",
    "type",
    ({ header, claims, privateKey }) => forge({ ...header, typ: "application/at+jwt" }, claims, privateKey),
  ],
  [
    "another issuer",
    "issuer",
    ({ header, claims, privateKey }) => forge(header, { ...claims, iss: "http://127.0.0.1:10003" }, privateKey),
  ],
  [
    "an issuer with a slash more",
    "issuer",
    ({ header, claims, privateKey }) => forge(header, { ...claims, iss: `${String(claims["iss"])}/` }, privateKey),
  ],
  ["no exp", "claims", ({ header, claims, privateKey }) => forge(header, { ...claims, exp: undefined }, privateKey)],
  ["no jti", "claims", ({ header, claims, privateKey }) => forge(header, { ...claims, jti: undefined }, privateKey)],
  [
    "several audiences",
    "claims",
    ({ header, claims, privateKey }) => forge(header, { ...claims, aud: ["a", "b"] }, privateKey),
  ],
  [
    "a payload that is changed",
    "signature",
    ({ token, claims }) =>
      token
        .split(".")
        .with(1, encode({ ...claims, role: "admin" }))
        .join("."),
  ],
  ["unused bits in the signature", "malformed", ({ token }) => withUnusedBits(token)],
  ["padding", "malformed", ({ token }) => `${token}==`],
  ["base64 instead of base64url", "malformed", ({ token }) => token.split(".").with(2, "+/+/").join(".")],
  ["a line break in the payload", "malformed", ({ token }) => token.replace(".", ".\n")],
  ["two parts", "malformed", ({ token }) => token.split(".").slice(0, 2).join(".")],
  ["five parts", "malformed", ({ token }) => `${token}.AA.AA`],
  ["a header that is no JSON", "malformed", ({ token }) => token.split(".").with(0, "AAAA").join(".")],
  ["a header that is a list", "malformed", ({ token }) => token.split(".").with(0, encode([])).join(".")],
  ["no token at all", "malformed", () => "x"],
  ["four parts", "malformed", ({ token }) => `${token}.AA`],
  ["no signature", "malformed", ({ token }) => `${token.split(".").slice(0, 2).join(".")}.`],
  [
    "a header that is not canonical",
    "malformed",
    ({ token }) =>
      token
        .split(".")
        .with(0, `${token.split(".")[0] ?? ""}=`)
        .join("."),
  ],
  ["alg NoNe and nothing else", "algorithm", ({ claims }) => `${encode({ alg: "NoNe" })}.${encode(claims)}.`],
  [
    "HS512 under a kid that nobody has",
    "algorithm",
    ({ header, claims }) => `${encode({ ...header, alg: "HS512", kid: "x" })}.${encode(claims)}.AAAA`,
  ],
  [
    "no typ, even when we signed",
    "type",
    ({ header, claims, privateKey }) => forge({ alg: header.alg, kid: header.kid }, claims, privateKey),
  ],
  [
    "no iss, even when we signed",
    "issuer",
    ({ header, claims, privateKey }) => forge(header, { ...claims, iss: undefined }, privateKey),
  ],
  [
    "an id token of a foreign issuer",
    "unknown_key",
    ({ claims }) => foreignToken("JWT", { ...claims, iss: "https://login.example", nonce: "n" }),
  ],
  [
    "an access token of a foreign issuer",
    "unknown_key",
    ({ claims }) => foreignToken("at+jwt", { ...claims, iss: "https://login.example" }),
  ],
  [
    "a foreign issuer's token under our kid",
    "algorithm",
    (from) => rsaUnderOurKid({ ...from, claims: { ...from.claims, iss: "https://login.example" } }),
  ],
];
