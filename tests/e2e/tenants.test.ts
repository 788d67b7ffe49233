import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { withOtherSignature } from "../../packages/kit/test/forged-token.ts";
import { apiOf } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const stack = stackUnderTest();
const api = apiOf(stack.urls.orchestrator);

function bodyOf(tenant: string, user: string, id: string): Record<string, unknown> {
  return { tenant, user, prompt: `work of ${tenant}`, metadata: { session_id: id } };
}

test("P4: of two tenants that start one id at once, one gets it and the other learns nothing", async () => {
  for (let round = 0; round < 5; round += 1) {
    const id = `sess-${randomUUID()}`;
    const answers = await Promise.all([
      api.request("POST", "/v1/sessions/start", {
        body: bodyOf("tenant-demo", "user-demo", id),
        headers: { "x-request-id": "same" },
      }),
      api.request("POST", "/v1/sessions/start", {
        body: bodyOf("tenant-acme", "user-acme", id),
        headers: { "x-request-id": "same" },
      }),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [202, 409],
    );
    const loser = answers.find(({ status }) => status === 409);
    assert.equal(loser?.body.code, "SESSION_ID_TAKEN");
    assert.ok(!/tenant|user-|acme|demo/.test(loser.text), loser.text);
    // The holder itself is told the same when it takes its id again.
    const winner = answers[0]?.status === 202 ? "tenant-demo" : "tenant-acme";
    const again = await api.request("POST", "/v1/sessions/start", {
      body: bodyOf(winner, winner.replace("tenant", "user"), id),
      headers: { "x-request-id": "same" },
    });
    assert.equal(again.text, loser.text);
    await api.ended(id);
  }
});

test("P5: another tenant's session and one that never was are the same 404, byte for byte, and Temporal is not asked", async () => {
  const id = `sess-${randomUUID()}`;
  await api.start(bodyOf("tenant-demo", "user-demo", id));
  await api.ended(id);
  const read = (path: string, method = "GET") => api.request(method, path, { headers: { "x-request-id": "same" } });
  const unknown = `sess-${randomUUID()}`;
  for (const [method, suffix] of [
    ["GET", ""],
    ["GET", "/events"],
    ["POST", "/actions/cancel"],
  ] as const) {
    const foreign = await read(`/v1/sessions/${id}${suffix}?tenant=tenant-acme`, method);
    const never = await read(`/v1/sessions/${unknown}${suffix}?tenant=tenant-acme`, method);
    assert.equal(foreign.status, 404);
    assert.equal(foreign.text, never.text);
    assert.deepEqual([...foreign.headers.keys()], [...never.headers.keys()]);
  }
  assert.equal((await read(`/v1/sessions/${id}?tenant=tenant-demo`)).status, 200);
  const listed = await api.request<{ sessions: { session_id: string }[] }>(
    "GET",
    "/v1/sessions?tenant=tenant-acme&limit=100",
  );
  assert.ok(!listed.body.sessions.some(({ session_id }) => session_id === id));
});

test("P5: an API whose Temporal is away still answers foreign and unknown ids, because it does not ask it", async (context) => {
  const orchestrator = await startOrchestrator(context, { entry: "main-api", env: { TEMPORAL_HOST: "127.0.0.1:1" } });
  const answer = await orchestrator.api.request("GET", "/v1/sessions/sess-nobody?tenant=tenant-acme");
  assert.equal(answer.status, 404);
  await orchestrator.stop();
});

/** A token as an operator gets it: users' by the credential of the login service, a step's by the orchestrator's. */
async function tokenOf(request: Record<string, unknown>, service = "login"): Promise<string> {
  const answer = await fetch(`${stack.urls["identity-service"]}/v1/tokens/issue`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${readFileSync(join(dirname(stack.credentialFile), service), "utf8").trim()}`,
    },
    body: JSON.stringify(request),
  });
  assert.equal(answer.status, 200, "no token was issued");
  const { token }: { token: string } = JSON.parse(await answer.text());
  return token;
}

test("P3: with AUTH_MODE=required tenant and user come from the token, and a body can only agree", async (context) => {
  const orchestrator = await startOrchestrator(context, { env: { AUTH_MODE: "required" } });
  const { api: door } = orchestrator;
  const capabilities = ["session.start", "session.read", "session.cancel"];
  const demo = await tokenOf({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities });
  const acme = await tokenOf({ user_id: "user-acme", tenant_id: "tenant-acme", capabilities });
  const readOnly = await tokenOf({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities: ["session.read"] });
  const forModel = await tokenOf(
    {
      user_id: "user-demo",
      tenant_id: "tenant-demo",
      capabilities: ["model.complete"],
      audience: "somagent-slm",
    },
    "orchestrator",
  );
  const start = (body: unknown, token?: string) =>
    door.request<{ session_id: string; code: string }>("POST", "/v1/sessions", {
      body,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });

  assert.equal((await start({ prompt: "hi" })).status, 401);
  assert.equal((await start({ prompt: "hi" }, "nonsense")).status, 401);
  assert.equal((await start({ prompt: "hi" }, withOtherSignature(demo))).status, 401);
  assert.equal((await start({ prompt: "hi" }, forModel)).status, 401, "a token for another audience");
  assert.equal((await start({ prompt: "hi" }, readOnly)).body.code, "FORBIDDEN");
  for (const claim of [
    { tenant: "tenant-acme" },
    { tenant_id: "tenant-acme" },
    { user: "user-acme" },
    { user_id: "root" },
  ]) {
    const answer = await start({ prompt: "hi", ...claim }, demo);
    assert.equal(answer.status, 403);
    assert.equal(answer.body.code, "PRINCIPAL_MISMATCH");
  }
  const accepted = await start({ prompt: "hi", metadata: { tenant: "tenant-acme" } }, demo);
  assert.equal(accepted.status, 202, accepted.text);
  const id = accepted.body.session_id;
  const read = (token: string, suffix = "") =>
    door.request<{ tenant: string; events: { authn: string; tenant: string }[] }>(
      "GET",
      `/v1/sessions/${id}${suffix}`,
      { headers: { authorization: `Bearer ${token}`, "x-request-id": "same" } },
    );
  assert.equal((await read(demo)).body.tenant, "tenant-demo");
  assert.equal((await read(acme)).status, 404);
  assert.equal((await read(acme, "?tenant=tenant-demo")).status, 403);
  const [created] = (await read(demo, "/events")).body.events;
  assert.equal(created?.authn, "token");
  assert.equal(created.tenant, "tenant-demo");
  await orchestrator.stop();
});

test("the identity service away, slow or lying: a request with a token is answered with 503 within 1.5 s", async (context) => {
  const proxy = await startFaultProxy(context, stack.urls["identity-service"]);
  const orchestrator = await startOrchestrator(context, {
    entry: "main-api",
    env: { AUTH_MODE: "required", IDENTITY_SERVICE_URL: proxy.url },
  });
  const token = await tokenOf({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities: ["session.read"] });
  const headers = { authorization: `Bearer ${token}` };
  const read = () => orchestrator.api.request("GET", "/v1/sessions/sess-any", { headers });
  const start = () => orchestrator.api.request("POST", "/v1/sessions", { headers, body: { prompt: "hi" } });
  assert.equal((await read()).status, 404);
  assert.equal((await start()).status, 403, "the token is for reading");
  for (const fault of [
    { kind: "hang" },
    { kind: "cut" },
    { kind: "slow", ms: 3_000 },
    { kind: "lie", status: 500, body: "{}" },
    { kind: "lie", status: 200, body: '{"valid":"yes"}' },
    { kind: "lie", status: 200, body: "not json" },
    { kind: "lie", status: 302, headers: { location: "http://127.0.0.1:1/" }, body: "" },
  ] as const) {
    proxy.fault = fault;
    for (const ask of [read, start]) {
      const begin = performance.now();
      const answer = await ask();
      const tookMs = performance.now() - begin;
      assert.equal(answer.status, 503, JSON.stringify(fault));
      assert.ok(answer.headers.get("retry-after"));
      assert.ok(tookMs < 1_500, `${JSON.stringify(fault)} took ${String(tookMs)} ms`);
    }
  }
  await orchestrator.stop();
});
