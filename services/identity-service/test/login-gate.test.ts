import assert from "node:assert/strict";
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { test, type TestContext } from "node:test";
import { json, startScriptedServer } from "../../../packages/kit/test/scripted-server.ts";
import type { Json } from "./forge.ts";
import { startIdentity } from "./start-identity.ts";
import { logIn, outcomeOf, trust, trustOf } from "./trust.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const weak = generateKeyPairSync("rsa", { modulusLength: 1_024 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const jwkOf = (key: KeyObject, more: object) => ({ ...key.export({ format: "jwk" }), ...more });

/** What an issuer publishes; not all of it is good for what a token would use it for. */
const published = {
  keys: [
    jwkOf(rsa.publicKey, { kid: "rsa", use: "sig" }),
    jwkOf(rsa.publicKey, { kid: "ps-only", alg: "PS256" }),
    jwkOf(rsa.publicKey, { kid: "for-encryption", use: "enc" }),
    jwkOf(rsa.publicKey, { kid: "for-signing", key_ops: ["sign"] }),
    jwkOf(rsa.publicKey, { kid: "twice" }),
    jwkOf(weak.publicKey, { kid: "twice-weak" }),
    jwkOf(p256.publicKey, { kid: "twice" }),
    jwkOf(weak.publicKey, { kid: "weak" }),
    jwkOf(p384.publicKey, { kid: "p384" }),
    jwkOf(p256.publicKey, { kid: "p256" }),
    jwkOf(rsa.publicKey, {}),
    { kty: "oct", kid: "shared", k: "AAAA" },
    { kty: "RSA", kid: "broken", n: "AA", e: "AQAB" },
  ],
};

function write(headerText: string, claimsText: string, key: KeyObject = rsa.privateKey): string {
  const input = [headerText, claimsText].map((text) => Buffer.from(text).toString("base64url")).join(".");
  const isEc = key.asymmetricKeyType === "ec";
  const signature = sign("sha256", Buffer.from(input), isEc ? { key, dsaEncoding: "ieee-p1363" } : key);
  return `${input}.${signature.toString("base64url")}`;
}

/** A service that trusts an issuer of ours, whose every word we can choose. */
async function scene(t: TestContext) {
  const server = await startScriptedServer(json(200, published));
  t.after(() => server[Symbol.asyncDispose]());
  const running = await startIdentity(t);
  const issuer = server.url.origin;
  await trust(running, [
    trustOf(
      { issuer, jwksUri: `${issuer}/jwks` },
      { algorithms: ["RS256", "ES256"], role_claim: "groups", roles: { ops: "operator" } },
    ),
  ]);
  const now = running.clock.nowMs / 1_000;
  const claims: Json = {
    iss: issuer,
    sub: "alice",
    aud: "https://soma.example/api",
    jti: "one",
    iat: now,
    exp: now + 300,
    client_id: "app",
    groups: ["ops"],
  };
  const header: Json = { alg: "RS256", typ: "at+jwt", kid: "rsa" };
  const make = (changes: Json = {}, inHeader: Json = {}, key?: KeyObject): string =>
    write(JSON.stringify({ ...header, ...inHeader }), JSON.stringify({ ...claims, ...changes }), key);
  return { running, now, claims, header, make };
}
type Scene = Awaited<ReturnType<typeof scene>>;

const good: readonly [title: string, make: (from: Scene) => string][] = [
  ["as it should be", ({ make }) => make()],
  ["with the media type's long name", ({ make }) => make({}, { typ: "application/at+jwt" })],
  ["with one audience in a list", ({ make }) => make({ aud: ["https://soma.example/api"] })],
  ["of another key for another algorithm", ({ make }) => make({}, { alg: "ES256", kid: "p256" }, p256.privateKey)],
  [
    "in another spelling of the same JSON",
    ({ header, claims }) => write(JSON.stringify(header, null, 1), JSON.stringify(claims, null, 2)),
  ],
  ["with what we do not know", ({ make }) => make({ azp: "app", acr: "1", nested: { a: [1, { a: 2 }] } })],
  ["59 s old at its end", ({ make, now }) => make({ exp: now - 59 })],
  ["issued 60 s ahead", ({ make, now }) => make({ iat: now + 60 })],
  ["from then on, 60 s ahead", ({ make, now }) => make({ nbf: now + 60 })],
];

const bad: readonly [reason: string, title: string, make: (from: Scene) => string][] = [
  [
    "malformed",
    "a name twice in the claims",
    ({ header, claims }) => write(JSON.stringify(header), JSON.stringify(claims).replace("{", '{"sub":"root",')),
  ],
  [
    "malformed",
    "a name twice in two spellings",
    ({ header, claims }) =>
      write(JSON.stringify(header), JSON.stringify(claims).replace("{", String.raw`{"\u0073ub":"root",`)),
  ],
  [
    "malformed",
    "a name twice deep within",
    ({ header, claims }) =>
      write(JSON.stringify(header), JSON.stringify(claims).replace("{", '{"x":[{"a":1,"b":{},"a":2}],')),
  ],
  [
    "malformed",
    "a name twice in the header",
    ({ claims }) => write('{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"rsa"}', JSON.stringify(claims)),
  ],
  ["malformed", "padding", ({ make }) => `${make()}=`],
  ["malformed", "four parts", ({ make }) => `${make()}.AA`],
  ["malformed", "no signature", ({ make }) => make().replace(/[^.]+$/, "")],
  ["malformed", "claims that are a list", ({ header }) => write(JSON.stringify(header), "[]")],
  ["header", "an embedded jwk", ({ make }) => make({}, { jwk: published.keys[0] })],
  ["header", "jku", ({ make }) => make({}, { jku: "https://evil.example/jwks" })],
  ["header", "x5u", ({ make }) => make({}, { x5u: "https://evil.example/c" })],
  ["header", "x5c", ({ make }) => make({}, { x5c: ["AA"] })],
  ["header", "crit", ({ make }) => make({}, { crit: ["exp"] })],
  ["header", "no kid", ({ make }) => make({}, { kid: undefined })],
  ["algorithm", "none", ({ make }) => make({}, { alg: "none" }).replace(/[^.]+$/, "")],
  ["algorithm", "an algorithm that the tenant does not list", ({ make }) => make({}, { alg: "PS256", kid: "ps-only" })],
  ["algorithm", "ES256 with an RSA key", ({ make }) => make({}, { alg: "ES256" })],
  ["algorithm", "RS256 with a key that is for PS256", ({ make }) => make({}, { kid: "ps-only" })],
  ["type", "no type", ({ make }) => make({}, { typ: undefined })],
  ["type", "JWT", ({ make }) => make({}, { typ: "JWT" })],
  ["type", "a logout token", ({ make }) => make({}, { typ: "logout+jwt" })],
  ["unknown_key", "a kid that is a path", ({ make }) => make({}, { kid: "../../dev/null" })],
  ["unknown_key", "a kid that every object has", ({ make }) => make({}, { kid: "constructor" })],
  ["unknown_key", "a key for encryption", ({ make }) => make({}, { kid: "for-encryption" })],
  ["unknown_key", "a key that cannot verify", ({ make }) => make({}, { kid: "for-signing" })],
  ["unknown_key", "a key id that two keys have", ({ make }) => make({}, { kid: "twice" })],
  ["unknown_key", "a weak key", ({ make }) => make({}, { kid: "weak" }, weak.privateKey)],
  ["unknown_key", "a key of another curve", ({ make }) => make({}, { alg: "ES256", kid: "p384" }, p384.privateKey)],
  ["unknown_key", "a shared secret", ({ make }) => make({}, { kid: "shared" })],
  [
    "signature",
    "another key",
    ({ make }) => make({}, {}, generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey),
  ],
  ["issuer", "an issuer with a slash more", ({ make, claims }) => make({ iss: `${String(claims["iss"])}/` })],
  ["issuer", "issuers in a list", ({ make, claims }) => make({ iss: [claims["iss"]] })],
  ["issuer", "no issuer", ({ make }) => make({ iss: undefined })],
  ["audience", "another audience", ({ make }) => make({ aud: "https://soma.example/api/" })],
  [
    "audience",
    "our audience and another one",
    ({ make }) => make({ aud: ["https://soma.example/api", "https://elsewhere.example"] }),
  ],
  ["audience", "no audience", ({ make }) => make({ aud: undefined })],
  ["expired", "60 s after its end", ({ make, now }) => make({ exp: now - 60 })],
  ["expired", "61 s after its end", ({ make, now }) => make({ exp: now - 61 })],
  ["not_yet_valid", "issued 61 s ahead", ({ make, now }) => make({ iat: now + 61 })],
  ["not_yet_valid", "from then on, 61 s ahead", ({ make, now }) => make({ nbf: now + 61 })],
  ["claims", "no end", ({ make }) => make({ exp: undefined })],
  ["claims", "an end as text", ({ make, now }) => make({ exp: String(now + 300) })],
  ["claims", "no id", ({ make }) => make({ jti: undefined })],
  ["claims", "an empty id", ({ make }) => make({ jti: "" })],
  ["claims", "no time of issue", ({ make }) => make({ iat: undefined })],
  ["claims", "bound to a key of its holder", ({ make }) => make({ cnf: { jkt: "x" } })],
  ["claims", "no user", ({ make }) => make({ sub: undefined })],
  ["claims", "a user that is no text", ({ make }) => make({ sub: ["alice"] })],
  ["claims", "a user with a space", ({ make }) => make({ sub: "alice smith" })],
  ["claims", "a user that is too long", ({ make }) => make({ sub: "a".repeat(107) })],
];

for (const [title, make] of good) {
  test(`a foreign token ${title} is accepted`, async (t) => {
    const from = await scene(t);
    assert.equal(await outcomeOf(from.running, make(from)), "accepted");
  });
}
for (const [reason, title, make] of bad) {
  test(`a foreign token is refused as ${reason}: ${title}`, async (t) => {
    const from = await scene(t);
    assert.equal(await outcomeOf(from.running, from.make()), "accepted");
    const token = make(from);
    assert.equal(await outcomeOf(from.running, token), reason);
    const answer = await logIn(from.running, token);
    assert.deepEqual([answer.statusCode, answer.json().code], [401, "LOGIN_REFUSED"]);
    assert.equal(answer.json().detail, "The token is not accepted for this tenant.");
    assert.equal(await from.running.metric("soma_identity_logins_total", { result: reason }), 2);
    assert.notEqual(await from.running.reasonOf(token), undefined, "nor is it one of ours");
  });
}
