import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { startIdentity } from "./start-identity.ts";

const issuer = {
  issuer: "https://login.example",
  jwks_uri: "https://login.example/jwks",
  audience: "soma",
  algorithms: ["RS256"],
  user_claim: "sub",
  roles: {},
  default_role: "viewer",
};

test("what a tenant is told to be is in force; an older version never takes a newer one's place, also after a restart", async (t) => {
  const first = await startIdentity(t);
  const unknown = await first.manage("GET", "/v1/tenants/made-by-api");
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, "TENANT_NOT_FOUND"]);
  const put = async (version: number, status: string, issuers: readonly object[] = []) =>
    (await first.manage("PUT", "/v1/tenants/made-by-api", { version, status, issuers })).json();
  const inForce = { tenant: "made-by-api", version: 3, status: "suspended", issuers: [issuer] };
  assert.equal((await put(1, "active")).version, 1);
  assert.deepEqual(await put(3, "suspended", [issuer]), inForce);
  assert.deepEqual(await put(2, "active"), inForce, "late");
  assert.deepEqual(await put(3, "active"), inForce, "the same version is the same content");
  await first.stop();
  const second = await startIdentity(t, { dir: first.dir });
  assert.deepEqual((await second.manage("GET", "/v1/tenants/made-by-api")).json(), inForce);
});

test("a tenant that stands in no registry has keys, and the agent session-agent", async (t) => {
  const running = await startIdentity(t);
  const key = {
    tenant: "made-by-api",
    name: "first",
    role: "operator",
    scopes: ["model.complete"],
    created_by: "root",
  };
  assert.equal((await running.manage("POST", "/v1/api-keys", key)).statusCode, 404);
  await running.manage("PUT", "/v1/tenants/made-by-api", { version: 1, status: "active", issuers: [] });
  const made = (await running.manage("POST", "/v1/api-keys", key)).json();
  assert.equal((await running.verify(made.secret)).valid, true);
  const step = {
    tenant_id: "made-by-api",
    user_id: `key:${String(made.key_id)}`,
    capabilities: ["model.complete", "session.start"],
    audience: "somagent-slm",
    agent_id: "session-agent",
    session_id: "s-1",
  };
  const token = await running.token(step, "orchestrator");
  assert.equal(decodeJwt(token)["scope"], "model.complete");
  assert.equal((await running.verify(token)).valid, true);
  for (const changed of [{ agent_id: "reader" }, { user_id: "ann" }, { tenant_id: "acme" }])
    assert.equal((await running.issue({ ...step, ...changed }, "orchestrator")).statusCode, 403);
});

test("a suspended tenant's tokens and keys are still told to be valid: reading goes on, the orchestrator refuses the rest", async (t) => {
  const running = await startIdentity(t);
  const token = await running.token();
  await running.manage("PUT", "/v1/tenants/acme", { version: 1, status: "suspended", issuers: [] });
  assert.equal((await running.verify(token)).valid, true);
});

test("an entry that does not fit the contract is refused and changes nothing", async (t) => {
  const running = await startIdentity(t);
  const entries = [
    { version: 0, status: "active", issuers: [] },
    { version: 1, status: "closed", issuers: [] },
    { version: 1, status: "active", issuers: [{ ...issuer, jwks_uri: "http://login.example/jwks" }] },
    { version: 1, status: "active", issuers: [{ ...issuer, jwks_uri: "file:///etc/passwd" }] },
    { version: 1, status: "active", issuers: [{ ...issuer, algorithms: ["none"] }] },
    { version: 1, status: "active", issuers: [{ ...issuer, algorithms: ["HS256"] }] },
    { version: 1, status: "active", issuers: [{ ...issuer, secret: "x" }] },
  ];
  for (const entry of entries)
    assert.equal((await running.manage("PUT", "/v1/tenants/acme", entry)).statusCode, 400, JSON.stringify(entry));
  assert.equal((await running.manage("GET", "/v1/tenants/acme")).statusCode, 404);
});
