import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ApiKeyView, CreatedApiKey } from "@soma/contracts/api-key";
import { decodeJwt } from "jose";
import { Value } from "typebox/value";
import { exchangeRegistry, makeDir, startIdentity, writeFiles } from "./start-identity.ts";

const wanted = {
  tenant: "acme",
  name: "nightly batch",
  role: "operator",
  scopes: ["session.start", "session.read", "model.complete"],
  created_by: "ann",
};
type Running = Awaited<ReturnType<typeof startIdentity>>;

async function made(running: Running, request: object = {}, key?: string): Promise<CreatedApiKey> {
  const answer = await running.manage("POST", "/v1/api-keys", { ...wanted, ...request }, key);
  assert.equal(answer.statusCode, 201, answer.body);
  return Value.Parse(CreatedApiKey, answer.json());
}
const listed = async (running: Running, tenant = "acme"): Promise<ApiKeyView[]> =>
  (await running.manage("GET", `/v1/api-keys?tenant=${tenant}`)).json().keys;
const end = (running: Running, { tenant, key_id: id }: ApiKeyView) =>
  running.manage("DELETE", `/v1/api-keys/${tenant}/${id}`);
const stepOf = (key: ApiKeyView) => ({
  user_id: `key:${key.key_id}`,
  capabilities: ["model.complete", "model.embed"],
  audience: "somagent-slm",
  agent_id: "session-agent",
  session_id: "s-1",
  step: "step-1",
  parent_jti: `key:${key.key_id}`,
});

test("an API key says of itself what a token would, and its secret is shown once", async (t) => {
  const running = await startIdentity(t);
  const { secret, ...view } = await made(running);
  assert.match(secret, /^soma_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
  const seconds = running.clock.nowMs / 1_000;
  const at = (plus: number) => new Date((seconds + plus) * 1_000).toISOString();
  const { key_id: id } = view;
  assert.deepEqual(view, { ...wanted, key_id: id, created_at: at(0), expires_at: at(90 * 86_400) });
  assert.deepEqual(await running.verify(secret), {
    valid: true,
    claims: {
      iss: running.identity.issuer,
      sub: `key:${id}`,
      aud: "somagent-orchestrator",
      jti: `key:${id}`,
      iat: seconds,
      exp: seconds + 90 * 86_400,
      tenant_id: "acme",
      scope: "session.start session.read model.complete",
      role: "operator",
    },
  });
  assert.deepEqual(await listed(running), [{ ...view, last_used_at: at(0) }]);
  assert.deepEqual(await listed(running, "other"), []);
  const elsewhere = { token: secret, audience: "somagent-slm" };
  const answer = await running.post("/v1/tokens/verify", elsewhere, running.secretOf("login"));
  assert.deepEqual(answer.json(), { valid: false, reason: "audience" });
});

test("what opens nothing: another secret, another id, another form; the first two are one class", async (t) => {
  const running = await startIdentity(t);
  const { secret, key_id: id } = await made(running);
  const other = await made(running);
  const revoked = await made(running);
  await end(running, revoked);
  const flipped = secret.slice(0, -8) + (secret.at(-8) === "A" ? "B" : "A") + secret.slice(-7);
  const wrong: readonly [text: string, reason: string][] = [
    [flipped, "unknown_key"],
    [secret.replace(id, other.key_id), "unknown_key"],
    [secret.replace(id, revoked.key_id), "unknown_key"],
    [secret.replace(id, "0000000000000000"), "unknown_key"],
    [secret.replace(id, id.toUpperCase()), "malformed"],
    [`${secret}A`, "malformed"],
    [`${secret}=`, "malformed"],
    [secret.slice(0, -1), "malformed"],
    [secret.replaceAll("_", "."), "malformed"],
    [`soma_${id}_`, "malformed"],
    [`soma_' OR 1=1 --_${"A".repeat(43)}`, "malformed"],
    [` ${secret}`, "malformed"],
  ];
  for (const [text, reason] of wrong) {
    assert.deepEqual(await running.verify(text), { valid: false }, text);
    assert.equal(await running.reasonOf(text), reason, text);
  }
  assert.equal((await running.verify(secret)).valid, true);
});

test("a key ends to the second, with its tenant, and when it is revoked", async (t) => {
  const running = await startIdentity(t);
  const brief = await made(running, { expires_in_seconds: 60 });
  running.clock.nowMs += 59_000;
  assert.equal((await running.verify(brief.secret)).valid, true);
  running.clock.nowMs += 1_000;
  assert.equal(await running.reasonOf(brief.secret), "expired");

  const revoked = await made(running);
  const answer = await end(running, revoked);
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.json().revoked_at, new Date(running.clock.nowMs).toISOString());
  assert.equal(await running.reasonOf(revoked.secret), "revoked");
  running.clock.nowMs += 5_000;
  assert.deepEqual((await end(running, revoked)).json(), answer.json(), "again is the same");

  const homeless = await made(running, { tenant: "other", role: "viewer", scopes: ["session.read"] });
  assert.equal((await running.verify(homeless.secret)).valid, true);
  const path = join(running.dir, "registry.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("  other:\n", "  another:\n"));
  running.identity.refreshRegistry();
  assert.equal(await running.reasonOf(homeless.secret), "rights_changed");
});

test("a revoked key stays revoked for ever, also by its id, by possession, after a restart and after the week of revocations", async (t) => {
  const running = await startIdentity(t);
  const [byRoute, byId, byPossession, alive] = [
    await made(running),
    await made(running),
    await made(running),
    await made(running),
  ];
  await end(running, byRoute);
  const jti = `key:${byId.key_id}`;
  assert.deepEqual((await running.post("/v1/tokens/revoke", { jti }, running.secretOf("login"))).json(), {
    revoked: true,
  });
  const held = await running.post("/v1/tokens/revoke", { token: byPossession.secret });
  assert.deepEqual(held.json(), { revoked: true });
  const guess = alive.secret.slice(0, -8) + (alive.secret.at(-8) === "A" ? "B" : "A") + alive.secret.slice(-7);
  assert.deepEqual((await running.post("/v1/tokens/revoke", { token: guess })).json(), { revoked: false });
  const nowMs = running.clock.nowMs + 9 * 86_400_000;
  running.identity.revocations.prune(nowMs / 1_000);
  await running.stop();

  const again = await startIdentity(t, { dir: running.dir });
  again.clock.nowMs = nowMs;
  for (const { secret } of [byRoute, byId, byPossession]) assert.equal(await again.reasonOf(secret), "revoked");
  assert.equal((await again.verify(alive.secret)).valid, true);
});

test("a key's steps get what the key has, and end with it", async (t) => {
  const running = await startIdentity(t);
  const key = await made(running);
  const step = await running.token(stepOf(key), "orchestrator");
  const { sub, scope, origins, role } = decodeJwt(step);
  assert.deepEqual(
    [sub, scope, origins, role],
    [`key:${key.key_id}`, "model.complete", [`key:${key.key_id}`], "operator"],
  );
  assert.equal((await running.verify(step)).valid, true);
  await end(running, key);
  assert.equal(await running.reasonOf(step), "revoked");
  const next = await running.issue(stepOf(key), "orchestrator");
  assert.equal(next.statusCode, 403);
  assert.equal(next.json().errors[0].pointer, "/parent_jti", "so that the session can say why it ends");
  const { parent_jti: _parent, ...orphan } = stepOf(key);
  assert.equal((await running.issue(orphan, "orchestrator")).json().code, "IDENTITY_DENIED");

  const brief = await made(running, { expires_in_seconds: 60 });
  assert.equal((await running.issue(stepOf(brief), "orchestrator")).statusCode, 200);
  running.clock.nowMs += 60_000;
  assert.equal((await running.issue(stepOf(brief), "orchestrator")).statusCode, 403, "nothing for an expired key");
  const foreign = await made(running);
  assert.equal((await running.issue({ ...stepOf(foreign), tenant_id: "other" }, "orchestrator")).statusCode, 403);
});

test("a key carries no more than its role: what is beyond is refused by its place", async (t) => {
  const running = await startIdentity(t);
  const beyond: readonly [role: string, scopes: readonly string[], pointer: string][] = [
    ["viewer", ["session.read", "session.start"], "/scopes/1"],
    ["auditor", ["session.read"], "/scopes/0"],
    ["operator", ["tenant.manage"], "/scopes/0"],
    ["admin", ["key.manage", "platform.manage"], "/scopes/1"],
  ];
  for (const [role, scopes, pointer] of beyond) {
    const answer = await running.manage("POST", "/v1/api-keys", { ...wanted, role, scopes });
    assert.equal(answer.statusCode, 400, role);
    assert.deepEqual([answer.json().code, answer.json().errors[0].pointer], ["VALIDATION_FAILED", pointer]);
  }
  const nowhere = await running.manage("POST", "/v1/api-keys", { ...wanted, tenant: "nowhere" });
  assert.deepEqual([nowhere.statusCode, nowhere.json().code], [404, "TENANT_NOT_FOUND"]);
  assert.deepEqual(await listed(running), []);
});

test("who repeats a creation gets the same key with a secret that works, until it was used or ten minutes have passed", async (t) => {
  const running = await startIdentity(t);
  const lost = await made(running, {}, "request-1");
  const got = await made(running, {}, "request-1");
  assert.equal(got.key_id, lost.key_id);
  assert.notEqual(got.secret, lost.secret);
  assert.equal(await running.reasonOf(lost.secret), "unknown_key", "what was lost opens nothing");
  assert.equal((await running.verify(got.secret)).valid, true);
  assert.equal((await listed(running)).length, 1);

  const afterUse = await running.manage("POST", "/v1/api-keys", wanted, "request-1");
  assert.equal(afterUse.statusCode, 200);
  assert.ok(!afterUse.body.includes("soma_"));
  assert.equal(Value.Parse(ApiKeyView, afterUse.json()).key_id, got.key_id);
  assert.equal((await running.verify(got.secret)).valid, true, "nobody's secret is taken away");

  const late = await made(running, {}, "request-2");
  running.clock.nowMs += 600_000;
  assert.equal((await running.manage("POST", "/v1/api-keys", wanted, "request-2")).statusCode, 200);
  assert.equal((await running.verify(late.secret)).valid, true);

  const revoked = await made(running, {}, "request-3");
  await end(running, revoked);
  assert.equal((await running.manage("POST", "/v1/api-keys", wanted, "request-3")).statusCode, 200);
  assert.equal(await running.reasonOf(revoked.secret), "revoked");

  const reused = await running.manage("POST", "/v1/api-keys", { ...wanted, name: "another" }, "request-2");
  assert.deepEqual([reused.statusCode, reused.json().code], [422, "IDEMPOTENCY_KEY_REUSED"]);
  running.clock.nowMs += 86_400_000;
  assert.notEqual((await made(running, {}, "request-2")).key_id, late.key_id, "after a day it is a new request");
});

test("last_used_at is written at most once a minute", async (t) => {
  const running = await startIdentity(t);
  const { secret } = await made(running);
  const usedAt = async () => Date.parse(String((await listed(running))[0]?.last_used_at));
  const begin = running.clock.nowMs;
  await running.verify(secret);
  running.clock.nowMs = begin + 59_000;
  await running.verify(secret);
  assert.equal(await usedAt(), begin);
  running.clock.nowMs = begin + 60_000;
  await running.verify(`${secret.slice(0, -1)}${secret.endsWith("A") ? "E" : "A"}`);
  assert.equal(await usedAt(), begin, "a wrong secret is no use");
  await running.verify(secret);
  assert.equal(await usedAt(), begin + 60_000);
});

test("an API key can be exchanged like a token, and what comes of it ends with it", async (t) => {
  const running = await startIdentity(t, { registry: exchangeRegistry });
  const key = await made(running);
  const answer = await running.exchange({ subject_token: key.secret, scope: "model.complete" });
  assert.equal(answer.statusCode, 200, answer.body);
  const token = String(answer.json().access_token);
  assert.deepEqual(decodeJwt(token)["origins"], [`key:${key.key_id}`]);
  assert.equal((await running.verify(token)).valid, true);
  await end(running, key);
  assert.equal(await running.reasonOf(token), "revoked");
});

test("keys are for the service that manages tenants: no credential, a token and other services are turned away", async (t) => {
  const running = await startIdentity(t);
  const key = await made(running);
  const calls = [
    { method: "POST", url: "/v1/api-keys", body: wanted },
    { method: "GET", url: "/v1/api-keys?tenant=acme" },
    { method: "DELETE", url: `/v1/api-keys/acme/${key.key_id}` },
    { method: "PUT", url: "/v1/tenants/acme", body: { version: 1, status: "active", issuers: [] } },
    { method: "GET", url: "/v1/tenants/acme" },
  ] as const;
  const credentials: readonly [authorization: string | undefined, status: number][] = [
    [undefined, 401],
    [`Bearer ${key.secret}`, 401],
    [`Bearer ${await running.token()}`, 401],
    [`Bearer ${running.secretOf("login")}`, 403],
  ];
  for (const call of calls)
    for (const [authorization, status] of credentials) {
      const answer = await running.app.inject({
        ...call,
        headers: authorization === undefined ? {} : { authorization },
      });
      assert.equal(answer.statusCode, status, `${call.method} ${call.url}`);
    }
  assert.equal((await running.manage("DELETE", `/v1/api-keys/other/${key.key_id}`)).json().code, "API_KEY_NOT_FOUND");
  assert.equal((await running.verify(key.secret)).valid, true);
});

test("500 keys that live are the most; those that ended leave their place", async (t) => {
  const running = await startIdentity(t);
  const keys: CreatedApiKey[] = [];
  for (let count = 0; count < 500; count += 1) keys.push(await made(running));
  const refused = await running.manage("POST", "/v1/api-keys", wanted);
  assert.deepEqual([refused.statusCode, refused.json().code], [429, "QUOTA_EXCEEDED"]);
  const [first] = keys;
  assert.ok(first);
  await end(running, first);
  await made(running);
});

test("no secret of a key stands in a file, a log line or a metric", async (t) => {
  const dir = makeDir(t);
  writeFiles(dir);
  const running = await startIdentity(t, { dir });
  const { secret } = await made(running, {}, "request-1");
  await running.verify(secret);
  await running.verify(`${secret}x`);
  const tail = secret.slice(-43);
  assert.ok(!running.lines.join("").includes(tail));
  assert.ok(!(await running.identity.metrics.registry.metrics()).includes(tail));
  for (const name of readdirSync(dir)) {
    if (!name.startsWith("identity.sqlite")) continue;
    assert.ok(!readFileSync(join(dir, name)).includes(tail), name);
  }
});
