import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startFaultProxy } from "../../../../tests/harness/fault-proxy.ts";
import { newTenant, openTenantApp, startNeighbours, type Neighbours, type TenantApp } from "./tenant-app.ts";

let neighbours: Neighbours;
before(async () => {
  neighbours = await startNeighbours();
});
after(() => neighbours[Symbol.asyncDispose]());

async function openTenant(world: TenantApp): Promise<string> {
  const tenant = newTenant();
  const made = await world.send(await world.platform(), "POST", "/v1/tenants", { tenant, policy_pack: "standard" });
  assert.equal(made.statusCode, 201, made.body);
  return tenant;
}

test("a key made by an admin opens the API as its role until it is revoked, and its secret is in one answer alone", async () => {
  await using world = await openTenantApp(neighbours);
  const { send } = world;
  const platform = await world.platform();
  const tenant = await openTenant(world);
  const made = await send(platform, "POST", "/v1/api-keys", {
    tenant,
    name: "first admin",
    role: "admin",
    scopes: ["key.manage", "session.read", "tenant.read"],
  });
  assert.equal(made.statusCode, 201, made.body);
  assert.equal(made.headers["cache-control"], "no-store");
  const { secret: first } = made.json();
  const second = await send(first, "POST", "/v1/api-keys", { name: "ci", role: "viewer", expires_in_seconds: 60 });
  assert.equal(second.statusCode, 201, second.body);
  // What the role can have and its maker has, and no more.
  const { secret, key_id, scopes, created_by } = second.json();
  assert.deepEqual(scopes, ["session.read", "tenant.read"]);
  assert.equal(created_by, `key:${String(made.json().key_id)}`);
  assert.equal((await send(secret, "GET", "/v1/sessions")).statusCode, 200);
  assert.equal((await send(secret, "GET", `/v1/tenants/${tenant}`)).statusCode, 200);
  assert.equal((await send(secret, "GET", "/v1/api-keys")).json().code, "FORBIDDEN");
  const listed = await send(first, "GET", "/v1/api-keys");
  assert.equal(listed.json().keys.length, 2);
  const revoked = await send(first, "DELETE", `/v1/api-keys/${String(key_id)}`);
  assert.equal(revoked.statusCode, 200, revoked.body);
  assert.ok(revoked.json().revoked_at);
  assert.equal((await send(secret, "GET", "/v1/sessions")).statusCode, 401);
  // Again: the same, and recorded once.
  assert.equal((await send(first, "DELETE", `/v1/api-keys/${String(key_id)}`)).statusCode, 200);
  assert.deepEqual(await world.types(tenant), [
    "tenant.created",
    "api_key.created",
    "api_key.created",
    "api_key.revoked",
  ]);
  const events = JSON.stringify(await world.ledger.tail({ afterPosition: 0, limit: 100 }));
  for (const text of [first, secret, first.slice(-43), secret.slice(-43)]) {
    assert.equal(events.includes(text), false);
    assert.equal(JSON.stringify(world.log.lines()).includes(text), false);
    assert.equal(listed.body.includes(text), false);
  }
});

test("nobody gives a key more than he has, than its role can have, or than is another tenant's", async () => {
  await using world = await openTenantApp(neighbours);
  const { send } = world;
  const admin = await world.login("tenant-demo", "admin-demo", ["key.manage", "session.read"]);
  const ask = async (token: string, body: object) => {
    const answer = await send(token, "POST", "/v1/api-keys", { name: "x", ...body });
    return [answer.statusCode, answer.json().code];
  };
  assert.deepEqual(await ask(admin, { role: "operator", scopes: ["session.start"] }), [403, "FORBIDDEN"]);
  assert.deepEqual(await ask(admin, { role: "viewer", scopes: ["key.manage"] }), [400, "VALIDATION_FAILED"]);
  assert.deepEqual(await ask(admin, { role: "admin", scopes: ["platform.manage"] }), [400, "VALIDATION_FAILED"]);
  assert.deepEqual(await ask(admin, { role: "auditor" }), [403, "FORBIDDEN"]);
  assert.deepEqual(await ask(admin, { role: "viewer", tenant: "tenant-acme" }), [404, "TENANT_NOT_FOUND"]);
  assert.deepEqual(await ask(admin, { role: "viewer", tenant: "tenant-never" }), [404, "TENANT_NOT_FOUND"]);
  const platform = await world.platform();
  assert.deepEqual(
    await ask(platform, { role: "admin", tenant: await openTenant(world), scopes: ["platform.manage"] }),
    [400, "VALIDATION_FAILED"],
  );
  assert.deepEqual(await ask(platform, { role: "viewer", tenant: "tenant-never" }), [404, "TENANT_NOT_FOUND"]);
  const operator = await world.login("tenant-demo", "user-demo", ["session.read"]);
  assert.deepEqual(await ask(operator, { role: "viewer" }), [403, "FORBIDDEN"]);
  assert.deepEqual(
    (await world.types("tenant-demo")).filter((type) => type !== "tenant.created"),
    [],
  );
});

test("a repeated request is the same key, recorded once, and never two", async () => {
  await using world = await openTenantApp(neighbours);
  const tenant = await openTenant(world);
  const platform = await world.platform();
  const ask = (name: string) =>
    world.send(platform, "POST", "/v1/api-keys", { tenant, name, role: "viewer" }, { "idempotency-key": "key-1" });
  const [first, again] = [await ask("ci"), await ask("ci")];
  assert.equal(again.json().key_id, first.json().key_id);
  assert.equal((await ask("other")).json().code, "IDEMPOTENCY_KEY_REUSED");
  assert.deepEqual(await world.types(tenant), ["tenant.created", "api_key.created"]);
  const keys = await world.send(platform, "GET", `/v1/api-keys?tenant=${tenant}`);
  assert.equal(keys.json().keys.length, 1);
  assert.equal(
    (await world.send(platform, "DELETE", `/v1/api-keys/abcdefgh12345678?tenant=${tenant}`)).json().code,
    "API_KEY_NOT_FOUND",
  );
});

test("a suspended tenant makes no key, and takes rights away all the same", async () => {
  await using world = await openTenantApp(neighbours);
  const platform = await world.platform();
  const tenant = await openTenant(world);
  const admin = (
    await world.send(platform, "POST", "/v1/api-keys", {
      tenant,
      name: "a",
      role: "admin",
      scopes: ["key.manage", "tenant.read"],
    })
  ).json();
  await world.send(platform, "POST", `/v1/tenants/${tenant}/suspend`, {});
  const refused = await world.send(admin.secret, "POST", "/v1/api-keys", { name: "b", role: "viewer" });
  assert.deepEqual([refused.statusCode, refused.json().code], [403, "TENANT_SUSPENDED"]);
  assert.equal((await world.send(admin.secret, "GET", `/v1/tenants/${tenant}`)).json().status, "suspended");
  assert.equal((await world.send(admin.secret, "DELETE", `/v1/api-keys/${String(admin.key_id)}`)).statusCode, 200);
});

test("what identity did not hear while it was away it is told of later, and a key asks for it at once", async (t) => {
  const proxy = await startFaultProxy(t, neighbours.identity.url.origin);
  await using world = await openTenantApp(neighbours, { identityUrl: new URL(proxy.url) });
  const platform = await world.platform();
  proxy.fault = { kind: "cut" };
  const tenants = [newTenant(), newTenant()];
  for (const tenant of tenants) {
    const made = await world.send(platform, "POST", "/v1/tenants", { tenant });
    assert.equal(made.statusCode, 201, "what was recorded holds, whoever is away");
  }
  const waiting = () => world.ledger.tenants.unannounced({ after: "", limit: 10 });
  assert.equal((await waiting()).length, 2);
  const asked = proxy.seen.length;
  await world.announcer.pass();
  assert.equal(proxy.seen.length, asked + 1, "who does not answer is not asked again for each tenant");
  // One that is refused holds up none behind it.
  proxy.fault = { kind: "lie", status: 400, body: "{}" };
  await world.announcer.pass();
  assert.equal(proxy.seen.length, asked + 3);
  proxy.fault = { kind: "cut" };
  assert.equal((await waiting()).length, 2);
  const key = await world.send(platform, "POST", "/v1/api-keys", { tenant: tenants[0], name: "x", role: "viewer" });
  assert.deepEqual([key.statusCode, key.json().code], [503, "IDENTITY_UNAVAILABLE"]);
  proxy.fault = { kind: "pass" };
  const later = await world.send(platform, "POST", "/v1/api-keys", { tenant: tenants[0], name: "x", role: "viewer" });
  assert.equal(later.statusCode, 201, later.body);
  await world.announcer.pass();
  assert.deepEqual(await waiting(), []);
  for (const tenant of tenants) assert.equal((await neighbours.identity.tenant(tenant)).version, 1);
});
