import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeJwt, type JWTPayload } from "jose";
import { exchangeRegistry, startIdentity } from "./start-identity.ts";

const all = { capabilities: ["session.start", "session.read", "model.complete"] };
const jwt = "urn:ietf:params:oauth:token-type:jwt";
const accessToken = "urn:ietf:params:oauth:token-type:access_token";

const start = (t: Parameters<typeof startIdentity>[0]) => startIdentity(t, { registry: exchangeRegistry });
type Running = Awaited<ReturnType<typeof start>>;

/** The token of a successful exchange and its claims; the test fails when it was refused. */
async function exchanged(
  running: Running,
  request: Record<string, unknown>,
): Promise<{ token: string; claims: JWTPayload }> {
  const answer = await running.exchange(request);
  assert.equal(answer.statusCode, 200, answer.body);
  const token = String(answer.json().access_token);
  return { token, claims: decodeJwt(token) };
}

/** What an agent shows for itself: a token of the same user, narrowed to the agent. */
const agentsToken = (running: Running, agent: string, more: Record<string, unknown> = {}) =>
  running.token({ ...all, agent_id: agent, ...more });

test("an exchange by an agent: the user stays, the agent acts, the rights are what all of them have", async (t) => {
  const running = await start(t);
  const subject = await running.token(all);
  const actor = await agentsToken(running, "session-agent");
  const answer = await running.exchange({
    subject_token: subject,
    actor_token: actor,
    actor_token_type: accessToken,
    scope: "model.complete session.read session.cancel",
  });
  assert.equal(answer.statusCode, 200, answer.body);
  assert.equal(answer.headers["cache-control"], "no-store");
  const { access_token: token, ...rest } = answer.json();
  assert.deepEqual(rest, {
    issued_token_type: accessToken,
    token_type: "Bearer",
    expires_in: 300,
    scope: "model.complete",
  });
  const { jti, ...claims } = decodeJwt(token);
  const now = running.clock.nowMs / 1_000;
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
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
    act: { sub: "session-agent" },
    origins: [decodeJwt(subject).jti, decodeJwt(actor).jti],
  });
  assert.deepEqual(await running.verify(token), { valid: true, claims: { ...claims, jti } });
});

test("without an actor's token the service itself is the actor, under a name that no agent can have", async (t) => {
  const running = await start(t);
  const { claims } = await exchanged(running, { subject_token: await running.token(all) });
  assert.deepEqual(claims["act"], { sub: "service:gateway" });
  assert.equal(claims["agent_id"], undefined);
  assert.equal(claims["scope"], "session.start session.read model.complete");
});

test("a form as RFC 8693 has it is taken like JSON, and by no other route", async (t) => {
  const running = await start(t);
  const post = (fields: readonly (readonly [string, string])[], url = "/v1/tokens/exchange") =>
    running.app.inject({
      method: "POST",
      url,
      headers: {
        authorization: `Bearer ${running.secretOf("gateway")}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      payload: new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString(),
    });
  const fields: (readonly [string, string])[] = [
    ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"],
    ["subject_token", await running.token(all)],
    ["subject_token_type", jwt],
    ["audience", "somagent-slm"],
    ["scope", "model.complete"],
    ["requested_token_type", jwt],
    ["actor_token", ""],
  ];
  const answer = await post(fields);
  assert.equal(answer.statusCode, 200, answer.body);
  assert.equal(answer.json().issued_token_type, jwt);
  assert.equal(answer.json().scope, "model.complete");
  const twice = await post([...fields, ["audience", "somagent-orchestrator"]]);
  assert.equal(twice.statusCode, 400);
  assert.equal(twice.json().errors[0].pointer, "/audience");
  assert.equal((await post(fields, "/v1/tokens/verify")).statusCode, 415);
});

test("user, tenant, session and step never change, and the code that was shown is carried on", async (t) => {
  const running = await start(t);
  const step = { session_id: "s-1", step: "step-1", audience: "somagent-slm" };
  const bound = await exchanged(running, { subject_token: await running.token({ ...all, ...step }) });
  assert.deepEqual(
    [bound.claims["session_id"], bound.claims["step"], bound.claims["tenant_id"], bound.claims.sub],
    ["s-1", "step-1", "acme", "ann"],
  );
  assert.equal(bound.claims["amr"], undefined);
  const mia = { user_id: "mia", capabilities: ["model.complete"], mfa_code: running.codeAt() };
  const first = await running.token(mia);
  assert.deepEqual(decodeJwt(first)["amr"], ["otp"]);
  const second = await exchanged(running, { subject_token: first, audience: "somagent-orchestrator" });
  assert.deepEqual(second.claims["amr"], ["otp"]);
});

test("an exchange is no way around the one-time code", async (t) => {
  const running = await start(t);
  const step = { user_id: "mia", capabilities: ["model.complete"], session_id: "s-1", audience: "somagent-slm" };
  const subject_token = await running.token(step);
  assert.equal((await running.exchange({ subject_token })).statusCode, 200);
  const answer = await running.exchange({ subject_token, audience: "somagent-orchestrator" });
  assert.equal(answer.statusCode, 401);
  assert.equal(answer.json().code, "MFA_REQUIRED");
});

test("what is exchanged lives no longer than what it derives from, and five minutes at most", async (t) => {
  const running = await start(t);
  const subject_token = await running.token({ ...all, ttl_seconds: 400 });
  const actor_token = await agentsToken(running, "reader", { ttl_seconds: 250 });
  const lifetime = async (more: Record<string, unknown> = {}): Promise<number> => {
    const { claims } = await exchanged(running, { subject_token, ...more });
    return (claims.exp ?? 0) - (claims.iat ?? 0);
  };
  assert.equal(await lifetime(), 300);
  assert.equal(await lifetime({ actor_token, actor_token_type: jwt }), 250);
  const brief = await running.token({ ...all, ttl_seconds: 100 });
  assert.equal(await lifetime({ subject_token: brief, actor_token, actor_token_type: jwt }), 100);
  running.clock.nowMs += 350_000;
  assert.equal(await lifetime(), 50);
  running.clock.nowMs += 50_000;
  assert.equal((await running.verify(subject_token)).valid, true, "within the leeway");
  const answer = await running.exchange({ subject_token });
  assert.equal(answer.json().code, "TOKEN_NOT_ACCEPTED");
});

test("each exchange is one actor more, and the fifth is refused", async (t) => {
  const running = await start(t);
  let token = await running.token(all);
  for (let depth = 1; depth <= 4; depth += 1) {
    const next = await exchanged(running, { subject_token: token });
    assert.equal(JSON.stringify(next.claims["act"]).split("service:gateway").length - 1, depth);
    const origins = next.claims["origins"];
    assert.ok(Array.isArray(origins));
    assert.equal(origins.length, depth);
    assert.equal((await running.verify(next.token)).valid, true);
    token = next.token;
  }
  const answer = await running.exchange({ subject_token: token });
  assert.equal(answer.statusCode, 403);
  assert.equal(answer.json().code, "DELEGATION_TOO_DEEP");
});

test("a token ends with any that it derives from: subject, actor, or one before; and not with its siblings", async (t) => {
  const running = await start(t);
  const login = await running.token(all);
  const actor = await agentsToken(running, "reader");
  const first = await exchanged(running, { subject_token: login });
  const second = await exchanged(running, {
    subject_token: first.token,
    actor_token: actor,
    actor_token_type: accessToken,
  });
  const sibling = await exchanged(running, { subject_token: login });
  const valid = async (token: string): Promise<boolean> => (await running.verify(token)).valid;
  await running.post("/v1/tokens/revoke", { token: actor });
  assert.deepEqual([await valid(first.token), await valid(second.token)], [true, false]);
  const third = await exchanged(running, { subject_token: first.token });
  await running.post("/v1/tokens/revoke", { token: first.token });
  assert.deepEqual(
    [await valid(login), await valid(first.token), await valid(third.token), await valid(sibling.token)],
    [true, false, false, true],
  );
  await running.post("/v1/tokens/revoke", { jti: decodeJwt(login).jti }, running.secretOf("login"));
  assert.equal(await valid(sibling.token), false);
  assert.equal((await running.exchange({ subject_token: sibling.token })).json().code, "TOKEN_NOT_ACCEPTED");
});

test("a token dies when somebody in its chain is not known any more, or may do less", async (t) => {
  const running = await start(t);
  const actor_token = await agentsToken(running, "session-agent");
  const first = await exchanged(running, {
    subject_token: await running.token(all),
    actor_token,
    actor_token_type: accessToken,
  });
  // Neither the first agent nor the service is the newest actor any more, and both still count.
  const second = await exchanged(running, { subject_token: first.token });
  const { token } = await exchanged(running, {
    subject_token: second.token,
    actor_token: await agentsToken(running, "reader"),
    actor_token_type: accessToken,
  });
  for (const [from, to] of [
    ["session-agent: { capabilities: [model.complete] }", "session-agent: { capabilities: [] }"],
    ["  gateway:", "  another:"],
    [
      "    capabilities: [session.start, session.read, model.complete]\n    exchange",
      "    capabilities: []\n    exchange",
    ],
  ] as const) {
    assert.ok(exchangeRegistry.includes(from));
    writeFileSync(join(running.dir, "registry.yaml"), exchangeRegistry);
    running.identity.refreshRegistry();
    assert.equal((await running.verify(token)).valid, true, from);
    writeFileSync(join(running.dir, "registry.yaml"), exchangeRegistry.replace(from, to));
    running.identity.refreshRegistry();
    assert.deepEqual(await running.verify(token), { valid: false }, from);
  }
});

const refused: readonly [
  title: string,
  code: string,
  pointer: string | undefined,
  make: (running: Running, subject: string) => Promise<Record<string, unknown>> | Record<string, unknown>,
  service?: string,
][] = [
  ["another grant", "VALIDATION_FAILED", "/grant_type", () => ({ grant_type: "client_credentials" })],
  ["no subject", "VALIDATION_FAILED", "/subject_token", () => ({ subject_token: undefined })],
  [
    "a SAML subject",
    "VALIDATION_FAILED",
    "/subject_token_type",
    () => ({ subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }),
  ],
  [
    "a refresh token asked for",
    "VALIDATION_FAILED",
    "/requested_token_type",
    () => ({ requested_token_type: "urn:ietf:params:oauth:token-type:refresh_token" }),
  ],
  ["no audience", "VALIDATION_FAILED", "/audience", () => ({ audience: undefined })],
  [
    "an actor without its type",
    "VALIDATION_FAILED",
    "/actor_token_type",
    (_running, subject) => ({ actor_token: subject }),
  ],
  ["an actor's type without an actor", "VALIDATION_FAILED", "/actor_token", () => ({ actor_token_type: jwt })],
  ["an unknown field", "VALIDATION_FAILED", "/resource", () => ({ resource: "https://example.com" })],
  ["a scope with two spaces", "VALIDATION_FAILED", "/scope", () => ({ scope: "model.complete  model.embed" })],
  ["a subject that is none of ours", "TOKEN_NOT_ACCEPTED", "/subject_token", () => ({ subject_token: "a.b.c" })],
  [
    "an actor that is none of ours",
    "TOKEN_NOT_ACCEPTED",
    "/actor_token",
    () => ({ actor_token: "a.b.c", actor_token_type: jwt }),
  ],
  [
    "an actor that is no agent",
    "TOKEN_NOT_ACCEPTED",
    "/actor_token",
    (_running, subject) => ({ actor_token: subject, actor_token_type: jwt }),
  ],
  [
    "an actor of another tenant",
    "TOKEN_NOT_ACCEPTED",
    "/actor_token",
    async (running) => ({
      actor_token: await running.token({ tenant_id: "other", capabilities: ["session.read"], agent_id: "reader" }),
      actor_token_type: jwt,
    }),
  ],
  [
    "an actor of another user",
    "TOKEN_NOT_ACCEPTED",
    "/actor_token",
    async (running) => ({
      actor_token: await running.token({ user_id: "vic", capabilities: ["session.read"], agent_id: "reader" }),
      actor_token_type: jwt,
    }),
  ],
  [
    "an actor of another session",
    "TOKEN_NOT_ACCEPTED",
    "/actor_token",
    async (running) => ({
      actor_token: await agentsToken(running, "reader", { session_id: "s-2" }),
      actor_token_type: jwt,
    }),
  ],
  ["nothing of the scope", "IDENTITY_DENIED", undefined, () => ({ scope: "model.embed" })],
  [
    "an audience that the service may not ask for",
    "IDENTITY_DENIED",
    undefined,
    () => ({ audience: "somagent-elsewhere" }),
  ],
  ["a service without exchanges", "IDENTITY_DENIED", undefined, () => ({}), "orchestrator"],
];
for (const [title, code, pointer, make, service] of refused) {
  test(`${title}: ${code}`, async (t) => {
    const registry = exchangeRegistry.replace(
      "  other:\n",
      "  other:\n    agents: { reader: { capabilities: [session.read] } }\n",
    );
    const running = await startIdentity(t, { registry });
    const subject_token = await running.token(all);
    assert.equal((await running.exchange({ subject_token })).statusCode, 200);
    const request = { subject_token, ...(await make(running, subject_token)) };
    const answer = await running.exchange(request, service);
    assert.equal(answer.json().code, code, answer.body);
    if (pointer !== undefined) assert.equal(answer.json().errors[0].pointer, pointer);
    assert.ok(!answer.body.includes(subject_token));
  });
}

test("a token that was meant for somebody else is not the service's to exchange", async (t) => {
  const registry = exchangeRegistry.replace(
    "from: [somagent-orchestrator, somagent-slm]",
    "from: [somagent-orchestrator]",
  );
  const running = await startIdentity(t, { registry });
  const answer = await running.exchange({ subject_token: await running.token({ ...all, audience: "somagent-slm" }) });
  assert.equal(answer.json().code, "IDENTITY_DENIED");
});

test("only a service's credential exchanges", async (t) => {
  const running = await start(t);
  const subject_token = await running.token(all);
  const body = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token,
    subject_token_type: jwt,
    audience: "somagent-slm",
  };
  for (const secret of [undefined, "A".repeat(43), subject_token]) {
    const answer = await running.post("/v1/tokens/exchange", body, secret);
    assert.equal(answer.json().code, "UNAUTHENTICATED");
  }
});
