import assert from "node:assert/strict";
import { withOtherSignature } from "../../../../packages/kit/test/forged-token.ts";
import { after, before, test } from "node:test";
import { createLogger } from "@soma/kit/logger";
import { createMetrics } from "@soma/kit/metrics";
import { buildServer, type Server } from "@soma/kit/server";
import { decodeJwt } from "jose";
import { json, startScriptedServer, type Answer } from "../../../../packages/kit/test/scripted-server.ts";
import { authenticatorFor, requireToken, trustLoopback, type Authenticate } from "../../src/access/authenticate.ts";
import { createIdentityClient, type IdentityClient } from "../../src/adapters/identity-client.ts";
import { startIdentityService, type IdentityService } from "../harness/real-services.ts";

/** A real server with one route, which says who the door takes its caller for. */
async function buildDoor(authenticate: Authenticate): Promise<Server> {
  const app = await buildServer({
    service: "door",
    version: "0",
    description: "Says who calls",
    log: createLogger("door", "silent"),
    metrics: createMetrics("door"),
    missing: () => [],
  });
  app.get("/who", (request) => authenticate(request));
  return app;
}

const capabilities = ["session.start", "session.read"];
let identity: IdentityService;
let client: IdentityClient;
let door: Server;

before(async () => {
  identity = await startIdentityService();
  client = createIdentityClient(identity.url, identity.credentialFile);
  door = await buildDoor(requireToken(client));
});
after(async () => {
  await door.close();
  await client.close();
  await identity[Symbol.asyncDispose]();
});

const who = (authorization?: string) =>
  door.inject({ url: "/who", headers: authorization === undefined ? {} : { authorization } });

test("the caller is whom the identity service says the token is", async () => {
  const token = await identity.login({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities });
  const answer = await who(`Bearer ${token}`);
  assert.equal(answer.statusCode, 200, answer.body);
  assert.deepEqual(answer.json(), {
    authn: "token",
    tenant: "tenant-demo",
    user: "user-demo",
    role: "operator",
    scopes: capabilities,
    token: { jti: decodeJwt(token).jti, origins: [] },
  });
});

test("what is no valid token is 401, always the same, and says how to send one", async () => {
  const token = await identity.login({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities });
  const [header = "", payload = "", signature = ""] = token.split(".");
  const forged = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "root" }),
  ).toString("base64url");
  const seen = new Set<string>();
  for (const authorization of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `bearer ${token}`,
    `Bearer  ${token}`,
    `Bearer ${token} `,
    `Bearer ${token},x`,
    `Basic ${Buffer.from("user:password").toString("base64")}`,
    token,
    "Bearer nonsense",
    `Bearer ${header}.${forged}.${signature}`,
    `Bearer ${header}.${payload}.`,
    `Bearer ${withOtherSignature(token)}`,
    `Bearer ${"a".repeat(8_193)}`,
  ]) {
    const answer = await who(authorization);
    assert.equal(answer.statusCode, 401, authorization);
    assert.equal(answer.headers["www-authenticate"], "Bearer");
    const { request_id: _id, ...problem } = answer.json();
    seen.add(JSON.stringify(problem));
  }
  assert.equal(seen.size, 1);
});

test("a token for another service is none here, however valid", async () => {
  const minted = await client.issue(
    Object.assign(JSON.parse('{"user_id":"user-demo","tenant_id":"tenant-demo"}'), {
      agent_id: "session-agent",
      capabilities: ["model.complete"],
      audience: "somagent-slm",
    }),
    "another-audience",
    new AbortController().signal,
  );
  assert.ok(await client.verify(minted.token));
  assert.equal((await who(`Bearer ${minted.token}`)).statusCode, 401);
});

test("a revoked token is none from then on", async () => {
  const token = await identity.login({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities });
  assert.equal((await who(`Bearer ${token}`)).statusCode, 200);
  await client.revoke(token);
  assert.equal((await who(`Bearer ${token}`)).statusCode, 401);
});

/** Of a token that an identity service says is valid. */
const claims = {
  iss: "i",
  sub: "ann",
  aud: "somagent-orchestrator",
  jti: "j",
  iat: 1,
  exp: 2,
  tenant_id: "tenant-a",
  scope: "session.read",
  role: "operator",
};

test("a role that nobody knows, or claims for another audience, make nobody known", async () => {
  const answers: Answer[] = [
    { role: "root" },
    { role: "Operator" },
    { aud: "somagent-slm" },
    { aud: "" },
    { aud: "somagent-orchestrator " },
    { aud: "Somagent-Orchestrator" },
    { aud: "somagent-orchestrator,somagent-slm" },
  ].map((change) => json(200, { valid: true, claims: { ...claims, ...change } }));
  await using lying = await startScriptedServer(...answers, json(200, { valid: true, claims }));
  const toLiar = createIdentityClient(lying.url, "/nowhere");
  const app = await buildDoor(requireToken(toLiar));
  const ask = () => app.inject({ url: "/who", headers: { authorization: "Bearer a.b.c" } });
  for (const _ of answers) assert.equal((await ask()).statusCode, 401);
  assert.equal((await ask()).statusCode, 200);
  await app.close();
  await toLiar.close();
});

test("the tokens that the caller's derives from are known with it", async () => {
  const derived = {
    ...claims,
    act: { sub: "reader" },
    origins: ["i", "h"],
  };
  await using other = await startScriptedServer(json(200, { valid: true, claims: derived }));
  const known = createIdentityClient(other.url, "/nowhere");
  const app = await buildDoor(requireToken(known));
  const answer = await app.inject({ url: "/who", headers: { authorization: "Bearer a.b.c" } });
  assert.deepEqual(answer.json().token, { jti: "j", origins: ["i", "h"] });
  await app.close();
  await known.close();
});

test("no answer from the identity service is 503 and lets nobody in", async () => {
  const away = createIdentityClient(new URL("http://127.0.0.1:1"), "/nowhere");
  const app = await buildDoor(requireToken(away));
  const answer = await app.inject({ url: "/who", headers: { authorization: "Bearer a.b.c" } });
  assert.equal(answer.statusCode, 503);
  assert.equal(answer.json().code, "IDENTITY_UNAVAILABLE");
  await app.close();
  await away.close();
});

test("on loopback only requests that name this machine are served: a page that resolves its own name here is not", async () => {
  const app = await buildDoor(trustLoopback());
  const from = async (host: string): Promise<number> =>
    (await app.inject({ url: "/who", headers: { host } })).statusCode;
  for (const host of [
    "localhost",
    "localhost:8090",
    "127.0.0.1",
    "127.0.0.1:8090",
    "127.1.2.3:1",
    "[::1]",
    "[::1]:8090",
  ])
    assert.equal(await from(host), 200, host);
  for (const host of [
    "example.org",
    "localhost.example.org",
    "127.0.0.1.example.org",
    "evil.localhost",
    "localhost:",
    "localhost:80:80",
    "127.0.0.1@example.org",
    "10.0.0.1",
    "0.0.0.0",
    "::1",
    "LOCALHOST ",
  ])
    assert.equal(await from(host), 403, host);
  const answer = await app.inject({ url: "/who", headers: { host: "localhost", authorization: "Bearer a.b.c" } });
  assert.deepEqual(answer.json(), { authn: "unauthenticated-loopback" });
  await app.close();
});

test("on loopback, too, a token that is sent counts, and a wrong one is not nobody", async () => {
  const app = await buildDoor(authenticatorFor("loopback", client, () => false));
  const ask = (authorization?: string, host = "127.0.0.1:8090") =>
    app.inject({ url: "/who", headers: { host, ...(authorization !== undefined && { authorization }) } });
  const token = await identity.login({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities });
  try {
    assert.deepEqual((await ask()).json(), { authn: "unauthenticated-loopback" });
    const known = (await ask(`Bearer ${token}`)).json();
    assert.equal(known.authn, "token");
    assert.equal(known.user, "user-demo");
    // Its sender has said who he is: the machine's name adds nothing.
    assert.equal((await ask(`Bearer ${token}`, "orchestrator.example")).statusCode, 200);
    assert.equal((await ask(undefined, "orchestrator.example")).statusCode, 403);
    for (const wrong of ["", "Bearer ", "Basic dXNlcjo=", `Bearer ${withOtherSignature(token)}`])
      assert.equal((await ask(wrong)).statusCode, 401, wrong);
  } finally {
    await app.close();
  }
});

test("on loopback, too, whoever comes through the gateway comes with a token", async () => {
  const app = await buildDoor(authenticatorFor("loopback", client, () => true));
  try {
    const headers = { host: "127.0.0.1:8090" };
    assert.equal((await app.inject({ url: "/who", headers })).statusCode, 401);
  } finally {
    await app.close();
  }
});

test("with AUTH_MODE=required nobody is served without a token, on loopback neither", async () => {
  const app = await buildDoor(authenticatorFor("required", client, () => false));
  try {
    assert.equal((await app.inject({ url: "/who", headers: { host: "127.0.0.1" } })).statusCode, 401);
  } finally {
    await app.close();
  }
});
