import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { startIdentity } from "./start-identity.ts";

const all = ["session.start", "session.read", "session.cancel", "model.complete", "model.embed", "admin.all"];

const narrowings: readonly [title: string, service: string, request: Record<string, unknown>, scope: string][] = [
  ["user ∩ service", "login", { capabilities: all }, "session.start session.read model.complete"],
  ["user ∩ service ∩ agent", "login", { capabilities: all, agent_id: "session-agent" }, "model.complete"],
  ["another service", "orchestrator", { capabilities: all, audience: "somagent-slm" }, "model.complete model.embed"],
  ["the same user of another tenant", "login", { capabilities: all, tenant_id: "other" }, "session.read"],
  ["no more than asked", "login", { capabilities: ["session.read"] }, "session.read"],
];
for (const [title, service, request, scope] of narrowings) {
  test(`P10: capabilities are narrowed, not granted as asked: ${title}`, async (t) => {
    const { token } = await startIdentity(t);
    assert.equal(decodeJwt(await token(request, service))["scope"], scope);
  });
}

test("the token is an RFC 9068 access token with our claims and no others", async (t) => {
  const { token, clock, identity } = await startIdentity(t);
  const issued = await token(
    {
      audience: "somagent-slm",
      capabilities: ["model.complete"],
      agent_id: "session-agent",
      session_id: "s-1",
      step: "step-1",
    },
    "orchestrator",
  );
  const { jti, ...claims } = decodeJwt(issued);
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  const now = clock.nowMs / 1_000;
  assert.deepEqual(claims, {
    iss: "http://127.0.0.1:10002",
    sub: "ann",
    aud: "somagent-slm",
    iat: now,
    exp: now + 300,
    tenant_id: "acme",
    scope: "model.complete",
    role: "operator",
    agent_id: "session-agent",
    session_id: "s-1",
    step: "step-1",
    act: { sub: "session-agent" },
  });
  const { kid } = identity.keys.signingKey();
  assert.deepEqual(decodeProtectedHeader(issued), { alg: "EdDSA", typ: "at+jwt", kid });
});

test("the audience is the orchestrator unless another is asked for, and no answer may be cached", async (t) => {
  const { issue } = await startIdentity(t);
  const answer = await issue();
  assert.equal(decodeJwt(answer.json().token)["aud"], "somagent-orchestrator");
  assert.equal(answer.json().token_type, "Bearer");
  assert.equal(answer.headers["cache-control"], "no-store");
});

const lifetimes: readonly [asked: number | undefined, session: string | undefined, granted: number][] = [
  [undefined, undefined, 300],
  [1, undefined, 1],
  [3_600, undefined, 3_600],
  [undefined, "s-1", 300],
  [3_600, "s-1", 300],
  [20, "s-1", 20],
];
for (const [asked, session, granted] of lifetimes) {
  test(`ttl ${String(asked)} for ${session ?? "a user"} is ${String(granted)} s`, async (t) => {
    const { issue } = await startIdentity(t);
    const { token, expires_in: expiresIn } = (await issue({ ttl_seconds: asked, session_id: session })).json();
    const { iat = 0, exp = 0 } = decodeJwt(token);
    assert.equal(exp - iat, granted);
    assert.equal(expiresIn, granted);
  });
}

test("unknown tenant, user, agent, audience and a lack of capabilities are one answer", async (t) => {
  const { issue, metric } = await startIdentity(t);
  const refused = [
    { tenant_id: "nobody" },
    { tenant_id: "constructor" },
    { user_id: "nobody" },
    { user_id: "vic" },
    { agent_id: "nobody" },
    { agent_id: "session-agent" },
    { audience: "somagent-elsewhere" },
    { capabilities: ["admin.all"] },
  ];
  const answers = await Promise.all(refused.map((request) => issue(request)));
  const bodies = answers.map((answer) => ({ ...answer.json(), request_id: "" }));
  assert.equal(answers[0]?.statusCode, 403);
  assert.equal(bodies[0]?.["code"], "IDENTITY_DENIED");
  for (const body of bodies) assert.deepEqual(body, bodies[0]);
  assert.equal(await metric("soma_identity_tokens_refused_total", { code: "IDENTITY_DENIED" }), refused.length);
});

test("the orchestrator's credential cannot make a token for the orchestrator's own API", async (t) => {
  const { issue } = await startIdentity(t);
  assert.equal((await issue({ capabilities: ["model.complete"] }, "orchestrator")).statusCode, 403);
});

test("only a service credential issues", async (t) => {
  const { app, token, post, secretOf } = await startIdentity(t);
  const secret = secretOf("login");
  assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
  const body = { user_id: "ann", tenant_id: "acme", capabilities: ["session.start"] };
  const wrong = [
    undefined,
    "",
    `Bearer ${secret.slice(1)}`,
    `Bearer ${secret}A`,
    `bearer ${secret}`,
    `Basic ${secret}`,
    secret,
    `Bearer ${await token()}`,
    `Bearer ${"A".repeat(43)}`,
  ];
  for (const authorization of wrong) {
    const answer = await app.inject({
      method: "POST",
      url: "/v1/tokens/issue",
      headers: authorization === undefined ? {} : { authorization },
      body,
    });
    assert.equal(answer.statusCode, 401, authorization);
    assert.equal(answer.json().code, "UNAUTHENTICATED");
    assert.equal(answer.headers["www-authenticate"], "Bearer");
  }
  assert.equal((await post("/v1/tokens/issue", body, secret)).statusCode, 200);
});

const badRequests: readonly [title: string, request: Record<string, unknown>, pointer: string][] = [
  ["no user", { user_id: undefined }, "/user_id"],
  ["a user with a space", { user_id: "a b" }, "/user_id"],
  ["a tenant that is a path", { tenant_id: "../acme" }, "/tenant_id"],
  ["no capability", { capabilities: [] }, "/capabilities"],
  ["a capability twice", { capabilities: ["a.b", "a.b"] }, "/capabilities"],
  [
    "65 capabilities",
    { capabilities: Array.from({ length: 65 }, (_, index) => `a.${"b".repeat(index % 10)}c${"d".repeat(index / 10)}`) },
    "/capabilities",
  ],
  ["a capability with a space", { capabilities: ["session.start admin.all"] }, "/capabilities/0"],
  ["a code with letters", { mfa_code: "12345a" }, "/mfa_code"],
  ["a lifetime of 0", { ttl_seconds: 0 }, "/ttl_seconds"],
  ["a lifetime over an hour", { ttl_seconds: 3_601 }, "/ttl_seconds"],
  ["a lifetime as text", { ttl_seconds: "60" }, "/ttl_seconds"],
  ["an empty audience", { audience: "" }, "/audience"],
  ["a session id that is a workflow id", { session_id: "session-x" }, "/session_id"],
  ["a step without its session", { step: "step-1" }, "/session_id"],
  ["an unknown field", { role: "admin" }, "/role"],
];
for (const [title, request, pointer] of badRequests) {
  test(`${title} is a 400 that names ${pointer}`, async (t) => {
    const { issue } = await startIdentity(t);
    const answer = await issue(request);
    assert.equal(answer.statusCode, 400, answer.body);
    assert.equal(answer.json().code, "VALIDATION_FAILED");
    assert.equal(answer.json().errors[0].pointer, pointer);
  });
}
