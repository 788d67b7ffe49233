import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { startIdentity } from "./start-identity.ts";

type Running = Awaited<ReturnType<typeof startIdentity>>;
type Json = Record<string, unknown>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with any header and claims, signed as the attacker – or, with our key, the service – would. */
function forge(header: Json, claims: Json, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

/** The same with JSON as it is written here. */
function forgeText(header: string, claims: string, key: KeyObject): string {
  const input = [header, claims].map((text) => Buffer.from(text).toString("base64url")).join(".");
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

function rsaUnderOurKid({ header, claims }: Genuine): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const input = `${encode({ ...header, alg: "RS256" })}.${encode(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
}

function actorsInARow(count: number): Json {
  return count === 1 ? { sub: "session-agent" } : { sub: "session-agent", act: actorsInARow(count - 1) };
}

async function genuine(running: Running) {
  const token = await running.token();
  const { kid, privateKey, publicKey, publicJwk } = running.identity.keys.signingKey();
  const claims: Json = decodeJwt(token);
  return { token, kid, privateKey, publicKey, publicJwk, claims, header: { alg: "EdDSA", typ: "at+jwt", kid } };
}
type Genuine = Awaited<ReturnType<typeof genuine>>;

/** The last character of an Ed25519 signature holds four bits that no byte needs. */
function withUnusedBits(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(token.slice(-1));
  return token.slice(0, -1) + alphabet.charAt(last ^ 1);
}

function hmacWithPublicKey({ header, claims, publicKey }: Genuine): string {
  const input = `${encode({ ...header, alg: "HS256" })}.${encode(claims)}`;
  const secret = publicKey.export({ type: "spki", format: "pem" });
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

const attackers = generateKeyPairSync("ed25519");
const attackersJwk = attackers.publicKey.export({ format: "jwk" });

const attacks: readonly [title: string, reason: string, make: (from: Genuine) => string][] = [
  ["alg none", "header", ({ header, claims }) => `${encode({ ...header, alg: "none" })}.${encode(claims)}.AA`],
  [
    "alg none without a signature",
    "malformed",
    ({ header, claims }) => `${encode({ ...header, alg: "none" })}.${encode(claims)}.`,
  ],
  ["HS256 with the public key as the secret", "header", hmacWithPublicKey],
  [
    "another name of the algorithm",
    "header",
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
  ["RS256 under our kid", "header", rsaUnderOurKid],
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
    "claims",
    ({ header, claims, privateKey }) => forge(header, { ...claims, nbf: Number(claims["iat"]) + 61 }, privateKey),
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
  ["typ JWT", "header", ({ header, claims, privateKey }) => forge({ ...header, typ: "JWT" }, claims, privateKey)],
  [
    "typ with the media type's prefix",
    "header",
    ({ header, claims, privateKey }) => forge({ ...header, typ: "application/at+jwt" }, claims, privateKey),
  ],
  [
    "another issuer",
    "claims",
    ({ header, claims, privateKey }) => forge(header, { ...claims, iss: "http://127.0.0.1:10003" }, privateKey),
  ],
  [
    "an issuer with a slash more",
    "claims",
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
];
for (const [title, reason, make] of attacks) {
  test(`${title} is not valid, and the answer says no more than that`, async (t) => {
    const running = await startIdentity(t);
    const from = await genuine(running);
    assert.equal((await running.verify(from.token)).valid, true);
    const answer = await running.post("/v1/tokens/verify", { token: make(from) });
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.body, '{"valid":false}');
    assert.equal(await running.metric("soma_identity_verifications_total", { result: reason }), 1);
  });
}

test("what the table forges is accepted when nothing is wrong with it", async (t) => {
  const running = await startIdentity(t);
  const { header, claims, privateKey } = await genuine(running);
  assert.deepEqual(await running.verify(forge(header, claims, privateKey)), { valid: true, claims });
});

const moments: readonly [title: string, offsetSeconds: (lifetime: number) => number, valid: boolean][] = [
  ["at the last second of the leeway after exp", (lifetime) => lifetime + 59, true],
  ["when the leeway after exp is over", (lifetime) => lifetime + 60, false],
  ["at the first second of the leeway before iat", () => -60, true],
  ["before the leeway before iat", () => -61, false],
];
for (const [title, offset, valid] of moments) {
  test(`a token is ${valid ? "valid" : "not valid"} ${title}`, async (t) => {
    const { clock, token, verify } = await startIdentity(t);
    const issued = await token({ ttl_seconds: 100 });
    clock.nowMs += offset(100) * 1_000;
    assert.equal((await verify(issued)).valid, valid);
  });
}

test("a token of 8192 characters is judged, a longer one is refused as a request", async (t) => {
  const running = await startIdentity(t);
  const { header, claims, privateKey } = await genuine(running);
  const empty = forge(header, { ...claims, pad: "" }, privateKey).length;
  const longest = forge(header, { ...claims, pad: "x".repeat(Math.floor(((8_192 - empty) * 3) / 4)) }, privateKey);
  assert.ok(longest.length > 8_188 && longest.length <= 8_192, String(longest.length));
  assert.equal((await running.verify(longest)).valid, true);
  const answer = await running.post("/v1/tokens/verify", { token: `${longest}xxxx` });
  assert.equal(answer.statusCode, 400);
  assert.equal(answer.json().code, "VALIDATION_FAILED");
});

const shrinkings: readonly [title: string, from: string, to: string][] = [
  ["the user is gone", "ann: { role: operator", "bob: { role: operator"],
  ["the user's role changes", "ann: { role: operator", "ann: { role: viewer"],
  ["the user loses the capability", "session.read, model.complete, model.embed]", "session.read]"],
  ["the agent is gone", "session-agent: {", "other-agent: {"],
];
for (const [title, from, to] of shrinkings) {
  test(`a token dies when ${title}`, async (t) => {
    const { dir, identity, token, verify } = await startIdentity(t);
    const issued = await token({ capabilities: ["model.complete"], agent_id: "session-agent" });
    assert.equal((await verify(issued)).valid, true);
    const path = join(dir, "registry.yaml");
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(from));
    writeFileSync(path, text.replace(from, to));
    identity.refreshRegistry();
    assert.deepEqual(await verify(issued), { valid: false });
  });
}
