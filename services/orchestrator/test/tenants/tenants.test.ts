import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { defaultQuotas } from "@soma/contracts/tenant";
import { verify } from "../../../../scripts/soma-verify.ts";
import { verifyInPython } from "../ledger/python-verifier.ts";
import { newTenant, openTenantApp, startNeighbours, type Neighbours } from "./tenant-app.ts";

let neighbours: Neighbours;
before(async () => {
  neighbours = await startNeighbours();
});
after(() => neighbours[Symbol.asyncDispose]());

test("a tenant is made, changed, suspended and resumed by the installation's admin, and its ledger proves it to both verifiers", async () => {
  await using world = await openTenantApp(neighbours);
  const { send } = world;
  const admin = await world.platform();
  const tenant = newTenant();
  const made = await send(admin, "POST", "/v1/tenants", {
    tenant,
    name: "New",
    quotas: { streams: 3 },
    policy_pack: "standard",
  });
  assert.equal(made.statusCode, 201, made.body);
  const { created_at, updated_at, ...view } = made.json();
  assert.equal(created_at, updated_at);
  const quotas = { ...defaultQuotas, streams: 3 };
  assert.deepEqual(view, {
    tenant,
    status: "active",
    name: "New",
    quotas,
    policy_pack: "standard",
    issuers: [],
    version: 1,
  });
  const changed = await send(admin, "PATCH", `/v1/tenants/${tenant}`, { quotas: { running_sessions: 2 }, version: 1 });
  assert.equal(changed.statusCode, 200, changed.body);
  assert.deepEqual(changed.json().quotas, { ...quotas, running_sessions: 2 });
  assert.equal(changed.json().version, 2);
  const late = await send(admin, "PATCH", `/v1/tenants/${tenant}`, { name: "Late", version: 1 });
  assert.deepEqual([late.statusCode, late.json().code], [409, "TENANT_CHANGED"]);
  const suspended = await send(admin, "POST", `/v1/tenants/${tenant}/suspend`, { reason: "unpaid" });
  assert.equal(suspended.json().status, "suspended", suspended.body);
  // Again: nothing more to do, and nothing more is told.
  assert.equal((await send(admin, "POST", `/v1/tenants/${tenant}/suspend`, {})).json().version, 3);
  const known = await neighbours.identity.tenant(tenant);
  assert.deepEqual(known, { tenant, version: 3, status: "suspended", issuers: [] });
  assert.equal((await send(admin, "POST", `/v1/tenants/${tenant}/resume`, {})).json().status, "active");
  const shown = await send(admin, "GET", `/v1/tenants/${tenant}`);
  assert.deepEqual(shown.json().usage, { running_sessions: 0, tokens_today: 0 });
  assert.deepEqual(await world.types(tenant), [
    "tenant.created",
    "tenant.updated",
    "tenant.suspended",
    "tenant.resumed",
  ]);
  const exported = await send(admin, "GET", `/v1/tenants/${tenant}/events`);
  const report = verify(exported.body);
  assert.deepEqual(report.violations, []);
  assert.deepEqual([report.session, report.counts.events], [`tenant:${tenant}`, 4]);
  assert.deepEqual(
    verifyInPython([[exported.body]]).map((verdict) => verdict?.ok),
    [true],
  );
  const forged = exported.body.replace("unpaid", "paid up");
  assert.equal(verify(forged).ok, false);
  const page = await send(admin, "GET", `/v1/tenants/${tenant}/events?after=1&limit=2`);
  assert.deepEqual([page.json().events.length, page.json().next_after], [2, 3]);
  const [created] = exported.json().events;
  assert.equal(created.user, "platform-admin");
  assert.match(created.data.policy_version, /^sha256:/);
});

test("the same key is the same answer, whatever happened since, and another body under it is refused", async () => {
  await using world = await openTenantApp(neighbours);
  const { send } = world;
  const admin = await world.platform();
  const tenant = newTenant();
  const key = { "idempotency-key": "change-1" };
  const made = await send(admin, "POST", "/v1/tenants", { tenant }, key);
  assert.equal((await send(admin, "POST", "/v1/tenants", { tenant }, key)).body, made.body);
  const taken = await send(admin, "POST", "/v1/tenants", { tenant });
  assert.deepEqual([taken.statusCode, taken.json().code], [409, "TENANT_ID_TAKEN"]);
  const other = await send(admin, "PATCH", `/v1/tenants/${tenant}`, { name: "x" }, key);
  assert.deepEqual([other.statusCode, other.json().code], [422, "IDEMPOTENCY_KEY_REUSED"]);
  const named = { "idempotency-key": "change-2" };
  const first = await send(admin, "PATCH", `/v1/tenants/${tenant}`, { name: "one", version: 1 }, named);
  await send(admin, "PATCH", `/v1/tenants/${tenant}`, { name: "two" });
  const again = await send(admin, "PATCH", `/v1/tenants/${tenant}`, { name: "one", version: 1 }, named);
  assert.deepEqual([again.statusCode, again.body], [200, first.body]);
  assert.equal((await send(admin, "GET", `/v1/tenants/${tenant}`)).json().name, "two");
  assert.equal((await world.types(tenant)).length, 3);
});

test("two changes of different things at once are both made", async () => {
  await using world = await openTenantApp(neighbours);
  const admin = await world.platform();
  const tenant = newTenant();
  await world.send(admin, "POST", "/v1/tenants", { tenant });
  const answers = await Promise.all(
    [{ name: "a" }, { retention_days: 7 }, { quotas: { streams: 1 } }].map((change) =>
      world.send(admin, "PATCH", `/v1/tenants/${tenant}`, change),
    ),
  );
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200],
  );
  const { name, retention_days, quotas, version } = (await world.send(admin, "GET", `/v1/tenants/${tenant}`)).json();
  assert.deepEqual([name, retention_days, quotas.streams, version], ["a", 7, 1, 4]);
});

test("a tenant's own admin manages it but not its quotas; a foreign tenant and an unknown one are one answer, byte for byte", async () => {
  await using world = await openTenantApp(neighbours);
  const { send } = world;
  await send(await world.platform(), "POST", "/v1/tenants", { tenant: "tenant-other" });
  const admin = await world.login("tenant-demo", "admin-demo", [
    "tenant.read",
    "tenant.manage",
    "ledger.read",
    "key.manage",
  ]);
  const own = await send(admin, "GET", "/v1/tenants/tenant-demo");
  assert.equal(own.statusCode, 200, own.body);
  // It stands in the registry alone: the service made the object, and says so.
  const [created] = (await send(admin, "GET", "/v1/tenants/tenant-demo/events")).json().events;
  assert.deepEqual(
    [created.user, created.authn, created.data.decision_id],
    ["service:orchestrator", "service", undefined],
  );
  const issuers = [
    {
      issuer: "https://login.example",
      jwks_uri: "https://login.example/jwks",
      audience: "soma",
      algorithms: ["ES256"],
      user_claim: "sub",
      roles: { staff: "operator" },
    },
  ];
  const changed = await send(admin, "PATCH", "/v1/tenants/tenant-demo", { issuers });
  assert.equal(changed.statusCode, 200, changed.body);
  const known = await neighbours.identity.tenant("tenant-demo");
  assert.deepEqual([known.version, known.issuers[0]?.issuer], [2, "https://login.example"]);
  const greedy = await send(admin, "PATCH", "/v1/tenants/tenant-demo", { quotas: { tokens_per_day: 1e9 } });
  assert.deepEqual([greedy.statusCode, greedy.json().code], [403, "FORBIDDEN"]);
  for (const [method, suffix, body] of [
    ["GET", "", undefined],
    ["GET", "/events", undefined],
    ["PATCH", "", { name: "mine" }],
  ] as const) {
    const foreign = await send(admin, method, `/v1/tenants/tenant-other${suffix}`, body);
    const unknown = await send(admin, method, `/v1/tenants/tenant-never${suffix}`, body);
    assert.equal(foreign.statusCode, 404);
    assert.equal(foreign.body, unknown.body);
    assert.deepEqual(Object.keys(foreign.headers), Object.keys(unknown.headers));
  }
  const keys = (tenant: string) => send(admin, "GET", `/v1/api-keys?tenant=${tenant}`);
  assert.equal((await keys("tenant-other")).body, (await keys("tenant-never")).body);
  for (const [method, url, body] of [
    ["GET", "/v1/tenants", undefined],
    ["POST", "/v1/tenants", { tenant: newTenant() }],
    ["POST", "/v1/tenants/tenant-demo/suspend", {}],
    ["POST", "/v1/tenants/tenant-other/resume", {}],
  ] as const)
    assert.equal((await send(admin, method, url, body)).json().code, "FORBIDDEN", `${method} ${url}`);
  const viewer = await world.login("tenant-demo", "viewer-demo", ["tenant.read"]);
  assert.equal((await send(viewer, "GET", "/v1/tenants/tenant-demo")).statusCode, 200);
  assert.equal((await send(viewer, "PATCH", "/v1/tenants/tenant-demo", { name: "x" })).json().code, "FORBIDDEN");
  assert.equal((await send(viewer, "GET", "/v1/tenants/tenant-demo/events")).json().code, "FORBIDDEN");
});

test("what policy denies is recorded before it is told, and nothing changes", async () => {
  await using world = await openTenantApp(neighbours);
  const tenant = newTenant();
  const admin = await world.platform();
  await world.send(admin, "POST", "/v1/tenants", { tenant });
  // The tenant is set to no pack and has none of its own: whatever its admin's key is for, policy denies it.
  const key = await world.send(admin, "POST", "/v1/api-keys", {
    tenant,
    name: "admin",
    role: "admin",
    scopes: ["key.manage", "tenant.read"],
  });
  assert.equal(key.statusCode, 201, key.body);
  const denied = await world.send(key.json().secret, "POST", "/v1/api-keys", { name: "more", role: "admin" });
  assert.deepEqual([denied.statusCode, denied.json().code], [403, "POLICY_DENIED"]);
  assert.match(denied.json().detail, /no policy pack is active/);
  assert.deepEqual(await world.types(tenant), ["tenant.created", "api_key.created", "change.denied"]);
  const [last] = await world.ledger.tenants.readEvents({ tenant, after: 2, limit: 1 });
  assert.equal(last?.data["action"], "key.manage");
  // Set to a shared pack, it may; and the pack is not the one of any other tenant.
  for (const [policy_pack, statusCode] of [
    ["tenant-demo", 403],
    ["standard", 201],
  ] as const) {
    await world.send(admin, "PATCH", `/v1/tenants/${tenant}`, { policy_pack });
    const answer = await world.send(key.json().secret, "POST", "/v1/api-keys", { name: "more", role: "admin" });
    assert.equal(answer.statusCode, statusCode, `${policy_pack} ${answer.body}`);
  }
});

test("with the policy engine away nothing is changed, and nothing recorded", async () => {
  await using world = await openTenantApp(neighbours, { policyUrl: new URL("http://127.0.0.1:1/v1/evaluate") });
  const tenant = newTenant();
  const answer = await world.send(await world.platform(), "POST", "/v1/tenants", { tenant });
  assert.deepEqual([answer.statusCode, answer.json().code], [503, "POLICY_UNAVAILABLE"]);
  assert.equal(await world.ledger.tenants.find(tenant), undefined);
});

test("on loopback nobody manages tenants without a token, and a token that was sent counts", async () => {
  await using world = await openTenantApp(neighbours, { loopback: true });
  for (const [method, url, body] of [
    ["GET", "/v1/tenants", undefined],
    ["POST", "/v1/tenants", { tenant: newTenant() }],
    ["GET", "/v1/tenants/tenant-demo", undefined],
    ["PATCH", "/v1/tenants/tenant-demo", { name: "x" }],
    ["POST", "/v1/tenants/tenant-demo/suspend", {}],
    ["GET", "/v1/tenants/tenant-demo/events", undefined],
    ["POST", "/v1/api-keys", { name: "x", role: "admin" }],
    ["GET", "/v1/api-keys", undefined],
    ["DELETE", "/v1/api-keys/abcdefgh12345678", undefined],
  ] as const) {
    const answer = await world.send(undefined, method, url, body);
    assert.deepEqual([answer.statusCode, answer.json().code], [403, "FORBIDDEN"], `${method} ${url}`);
  }
  assert.equal((await world.send(await world.platform(), "GET", "/v1/tenants")).statusCode, 200);
});

test("the installation's own tenant is never suspended, and all tenants are listed by pages", async () => {
  await using world = await openTenantApp(neighbours);
  const admin = await world.platform();
  const refused = await world.send(admin, "POST", "/v1/tenants/platform/suspend", {});
  assert.equal(refused.json().code, "FORBIDDEN");
  const made = ["tenant-a1", "tenant-a2", "tenant-a3"];
  for (const tenant of made) await world.send(admin, "POST", "/v1/tenants", { tenant });
  const seen: string[] = [];
  for (let url = "/v1/tenants?limit=2"; ;) {
    const { tenants, next_cursor } = (await world.send(admin, "GET", url)).json();
    seen.push(...tenants.map(({ tenant }: { tenant: string }) => tenant));
    if (next_cursor === undefined) break;
    url = `/v1/tenants?limit=2&cursor=${String(next_cursor)}`;
  }
  assert.deepEqual(seen, ["platform", ...made]);
  assert.equal((await world.send(admin, "GET", "/v1/tenants?cursor=!!")).json().code, "VALIDATION_FAILED");
});
