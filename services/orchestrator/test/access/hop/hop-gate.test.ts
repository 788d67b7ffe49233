import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { HopRefusal } from "@soma/contracts/hop";
import { sha256 } from "@soma/kit/digest";
import { calculateJwkThumbprint, decodeJwt, importJWK, SignJWT } from "jose";
import { withOtherSignature } from "../../../../../packages/kit/test/forged-token.ts";
import { openHopSigner } from "../../../../gateway/src/hop/hop-signer.ts";
import { buildGuardedApp } from "./guarded-app.ts";

type Guarded = Awaited<ReturnType<typeof buildGuardedApp>>;
type Method = "GET" | "POST";

/** A request that the gateway let through, and what was changed on the way. */
interface Sent {
  readonly method?: Method;
  readonly url?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const read = { method: "GET", path: "/v1/sessions/sess-1?tenant=tenant-demo", body: "" } as const;
const start = {
  method: "POST",
  path: "/v1/sessions",
  body: '{"tenant":"tenant-demo","user":"user-demo","prompt":"hi"}',
  authorization: "Bearer a.b.c",
} as const;

const send = ({ app }: Guarded, token: string | undefined, sent: Sent = {}) =>
  app.inject({
    method: sent.method ?? "GET",
    url: sent.url ?? read.path,
    headers: {
      host: "127.0.0.1",
      ...(token !== undefined && { "x-soma-hop": token }),
      ...(sent.body !== undefined && { "content-type": "application/json" }),
      ...sent.headers,
    },
    ...(sent.body !== undefined && { payload: sent.body }),
  });

async function assertRefused(guarded: Guarded, answer: Awaited<ReturnType<typeof send>>, reason: HopRefusal) {
  assert.equal(answer.statusCode, 403, answer.body);
  const { code, detail } = answer.json<{ code: string; detail: string }>();
  assert.equal(code, "GATEWAY_REQUIRED");
  assert.equal(detail, "Send this request to the gateway.", "an answer says nothing of the reason");
  assert.equal(await guarded.refused(reason), 1, reason);
}

test("what the gateway signed is served, once", async () => {
  await using guarded = await buildGuardedApp();
  const token = await guarded.sign(read);
  const first = await send(guarded, token);
  assert.equal(first.statusCode, 200, first.body);
  await assertRefused(guarded, await send(guarded, token), "replayed");
  assert.equal((await send(guarded, await guarded.sign(read))).statusCode, 200);
});

test("a body that the gateway signed is served as it came, spaces included", async () => {
  await using guarded = await buildGuardedApp();
  const body = ` { "tenant" : "tenant-demo", "user":"user-demo", "prompt": "h\u00e9 \\u00e9" }\n`;
  const token = await guarded.sign({ ...start, body });
  const { authorization } = start;
  const answer = await send(guarded, token, { method: "POST", url: start.path, body, headers: { authorization } });
  // There is no Temporal here, and who gets to hear that has passed.
  assert.equal(answer.json<{ code: string }>().code, "TEMPORAL_UNAVAILABLE", answer.body);
});

const changed: readonly [what: string, reason: HopRefusal, sent: Sent][] = [
  ["another body", "body", { body: start.body.replace("hi", "ho") }],
  ["the same JSON in other bytes", "body", { body: `${start.body} ` }],
  ["another path", "path", { url: "/v1/sessions/start" }],
  ["another query", "path", { url: `${start.path}?x=1` }],
  ["the same path in other bytes", "path", { url: "/v1/sess%69ons" }],
  ["another method", "method", { method: "GET" }],
  ["another Authorization", "authorization", { headers: { authorization: "Bearer a.b.d" } }],
  ["no Authorization", "authorization", { headers: {} }],
];
for (const [what, reason, sent] of changed) {
  test(`a hop token does not go with ${what}`, async () => {
    await using guarded = await buildGuardedApp();
    const { authorization } = start;
    const answer = await send(guarded, await guarded.sign(start), {
      method: "POST",
      url: start.path,
      headers: { authorization },
      ...(sent.method !== "GET" && { body: start.body }),
      ...sent,
    });
    await assertRefused(guarded, answer, reason);
  });
}

test("an address proves nothing", async () => {
  await using guarded = await buildGuardedApp();
  const headers = {
    "x-forwarded-for": "127.0.0.1",
    "x-real-ip": "127.0.0.1",
    forwarded: "for=127.0.0.1;by=gateway",
    via: "1.1 gateway",
    "x-soma-gateway": "true",
  };
  await assertRefused(guarded, await send(guarded, undefined, { headers }), "missing");
});

test("everything but the probes asks for it: unknown routes, documents, wrong methods", async () => {
  await using guarded = await buildGuardedApp();
  const closed = ["/openapi.json", "/docs", "/docs/json", "/nothing", "/v1/sessions/start", "/health/x", "//health"];
  for (const url of closed) assert.equal((await send(guarded, undefined, { url })).statusCode, 403, url);
  assert.equal(await guarded.refused("missing"), closed.length);
  for (const url of ["/health", "/ready", "/metrics"])
    assert.equal((await send(guarded, undefined, { url })).statusCode, 200, url);
  assert.equal((await send(guarded, undefined, { url: "/health", method: "POST" })).statusCode, 403);
});

/** The gateway's own private key, to sign with it what the gateway would not. */
async function forger({ folder }: Guarded) {
  const jwk: { kty: "OKP"; crv: string; x: string; d: string } = JSON.parse(
    readFileSync(join(folder, "keys/hop-key"), "utf8"),
  );
  const kid = await calculateJwkThumbprint({ kty: jwk.kty, crv: jwk.crv, x: jwk.x });
  const key = await importJWK(jwk, "EdDSA");
  return (claims: Record<string, unknown>, header: Record<string, unknown> = {}) => {
    const iat = Math.floor(Date.now() / 1_000);
    return new SignJWT({
      iss: "gateway",
      aud: "somagent-orchestrator",
      jti: crypto.randomUUID(),
      iat,
      exp: iat + 10,
      method: read.method,
      path: read.path,
      body_digest: sha256(""),
      authorization_digest: sha256(""),
      ...claims,
    })
      .setProtectedHeader({ alg: "EdDSA", typ: "soma-hop+jwt", kid, ...header })
      .sign(key);
  };
}

const seconds = (offset: number): number => Math.floor(Date.now() / 1_000) + offset;
const forged: readonly [what: string, reason: HopRefusal | undefined, () => Record<string, unknown>, object?][] = [
  ["just like the gateway's", undefined, () => ({})],
  ["of a clock four seconds ahead", undefined, () => ({ iat: seconds(4), exp: seconds(14) })],
  // Whole seconds: one more of them and the fraction of this one would decide.
  ["that ended three seconds ago", undefined, () => ({ iat: seconds(-13), exp: seconds(-3) })],
  ["of a clock seven seconds ahead", "expired", () => ({ iat: seconds(7), exp: seconds(17) })],
  ["that ended seven seconds ago", "expired", () => ({ iat: seconds(-17), exp: seconds(-7) })],
  ["that lives for a minute", "claims", () => ({ exp: seconds(60) })],
  ["that is old and lives for an hour", "expired", () => ({ iat: seconds(-1_800), exp: seconds(1_800) })],
  ["of another service", "claims", () => ({ iss: "identity-service" })],
  ["for another service", "claims", () => ({ aud: "somagent-slm" })],
  ["without an id", "claims", () => ({ jti: undefined })],
  ["with an id that is too short to be random", "claims", () => ({ jti: "1" })],
  ["without a digest of the body", "claims", () => ({ body_digest: undefined })],
  ["without an end", "claims", () => ({ exp: undefined })],
  ["without a beginning", "claims", () => ({ iat: undefined })],
  ["of the type of an access token", "claims", () => ({}), { typ: "at+jwt" }],
  ["of a key that nobody published", "unknown_key", () => ({}), { kid: "other" }],
  ["of no key at all", "unknown_key", () => ({}), { kid: undefined }],
];
for (const [what, reason, claims, header] of forged) {
  test(`a hop token ${what} is ${reason === undefined ? "served" : `refused (${reason})`}`, async () => {
    await using guarded = await buildGuardedApp();
    const sign = await forger(guarded);
    const answer = await send(guarded, await sign(claims(), { ...header }));
    if (reason === undefined) assert.equal(answer.statusCode, 200, answer.body);
    else await assertRefused(guarded, answer, reason);
  });
}

test("what is signed with another key under the gateway's name is refused, as is what is not signed", async () => {
  await using guarded = await buildGuardedApp();
  const token = await guarded.sign(read);
  await assertRefused(guarded, await send(guarded, withOtherSignature(token)), "signature");
  const { kid } = JSON.parse(readFileSync(guarded.keyFile, "utf8"));
  const other = await openHopSigner(join(guarded.folder, "other/hop-key"));
  const [, payload = "", signature = ""] = (await other(read)).split(".");
  const header = Buffer.from(JSON.stringify({ alg: "EdDSA", typ: "soma-hop+jwt", kid })).toString("base64url");
  assert.equal((await send(guarded, `${header}.${payload}.${signature}`)).statusCode, 403);
  assert.equal(await guarded.refused("signature"), 2);
  await assertRefused(guarded, await send(guarded, await other(read)), "unknown_key");
  const none = Buffer.from(JSON.stringify({ alg: "none", typ: "soma-hop+jwt", kid })).toString("base64url");
  await assertRefused(guarded, await send(guarded, `${none}.${payload}.`), "malformed");
  assert.equal((await send(guarded, "nonsense")).statusCode, 403);
  assert.equal((await send(guarded, `${token}, ${token}`)).statusCode, 403);
  assert.equal(await guarded.refused("malformed"), 3);
});

test("a refused request uses no id up: the real one that comes after is served", async () => {
  await using guarded = await buildGuardedApp();
  const token = await guarded.sign(read);
  await assertRefused(guarded, await send(guarded, token, { url: "/v1/sessions" }), "path");
  assert.equal((await send(guarded, token)).statusCode, 200);
});

test("of many copies at once one is served", async () => {
  await using guarded = await buildGuardedApp();
  const token = await guarded.sign(read);
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(guarded, token)));
  assert.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1);
  assert.equal(await guarded.refused("replayed"), 19);
});

test("where no gateway is required one without a hop token is served, and a wrong one is refused all the same", async () => {
  await using guarded = await buildGuardedApp({ required: false });
  assert.equal((await send(guarded, undefined)).statusCode, 200);
  const token = await guarded.sign(read);
  assert.equal((await send(guarded, token)).statusCode, 200);
  await assertRefused(guarded, await send(guarded, token), "replayed");
});

test("where no gateway is known a hop token says nothing", async () => {
  await using guarded = await buildGuardedApp({ required: false, keyFile: undefined });
  assert.equal((await send(guarded, "nonsense")).statusCode, 200);
});

test("the routes can tell who came through the gateway", async () => {
  for (const [keyFile, expected] of [
    ["known", true],
    ["none", false],
  ] as const) {
    await using guarded = await buildGuardedApp({ required: false, ...(keyFile === "none" && { keyFile: undefined }) });
    const seen: boolean[] = [];
    guarded.app.addHook("preHandler", (request, _reply, done) => {
      seen.push(guarded.hop.fromGateway(request));
      done();
    });
    await send(guarded, await guarded.sign(read));
    await send(guarded, undefined);
    assert.deepEqual(seen, [expected, false]);
  }
});

test("a flood of refusals is one line of the log, with the reason and without the token", async () => {
  await using guarded = await buildGuardedApp();
  for (let count = 0; count < 50; count += 1) await send(guarded, undefined);
  const token = await guarded.sign(read);
  await send(guarded, token, { url: "/v1/sessions" });
  const lines = guarded.log.lines().filter(({ code }) => code === "GATEWAY_REQUIRED");
  assert.deepEqual(
    lines.map(({ reason, level }) => [reason, level]),
    [
      ["missing", "warn"],
      ["path", "warn"],
    ],
  );
  assert.ok(!guarded.log.text().includes(token));
  assert.ok(!guarded.log.text().includes(String(decodeJwt(token).jti)));
});
