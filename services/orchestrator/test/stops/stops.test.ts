import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { StopReport } from "@soma/contracts/stop";
import { capabilities, type Capability } from "@soma/contracts/wire-names";
import { digestOf } from "@soma/kit/digest";
import { eventContext } from "../../src/activities/step-events.ts";
import { endSessions } from "../../src/stops/end-sessions.ts";
import type { SessionWorkflows } from "../../src/temporal/session-workflows.ts";
import { tenantId, userId } from "../harness/ids.ts";
import { eventTypes, openSession, readRow } from "../harness/sessions.ts";
import { code } from "../ledger/refusal.ts";
import { stepEvents } from "../ledger/sample-events.ts";
import { openTenantApp, startNeighbours, type Neighbours, type TenantApp } from "../tenants/tenant-app.ts";

let neighbours: Neighbours;
before(async () => {
  neighbours = await startNeighbours();
});
after(() => neighbours[Symbol.asyncDispose]());

const adminOf = (world: TenantApp, scopes: readonly Capability[] = ["session.stop"]) =>
  world.login("tenant-demo", "admin-demo", scopes);
const platformAdmin = (world: TenantApp) => world.login("platform", "platform-admin", capabilities);

async function stop(world: TenantApp, token: string, body: object, headers: Record<string, string> = {}) {
  const answer = await world.send(token, "POST", "/v1/stops", { reason: "a test", ...body }, headers);
  const report: StopReport = answer.json();
  return { status: answer.statusCode, code: String(answer.json().code), report };
}

const jtiOf = (token: string): string =>
  String(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).jti);

async function isValid(token: string): Promise<boolean> {
  const answer = await fetch(new URL("/v1/tokens/verify", neighbours.identity.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  const { valid }: { valid: boolean } = JSON.parse(await answer.text());
  return valid;
}

test("a user's stop while Temporal is away: recorded, nothing of his begins any more, and of none is it said that it has stopped", async () => {
  await using world = await openTenantApp(neighbours);
  const { ledger } = world;
  const mine = await openSession(ledger, { session_id: "of-the-user" });
  const others = await openSession(ledger, { session_id: "of-another", user: "somebody-else" });
  const admin = await adminOf(world);
  const headers = { "idempotency-key": randomUUID() };
  const { status, report } = await stop(world, admin, { scope: "user", target: "user-demo" }, headers);
  assert.equal(status, 200);
  const unknown = [{ session_id: "of-the-user", why: "temporal_unavailable" }];
  assert.deepEqual([report.stopped, report.already_ended, report.unknown], [[], 0, unknown]);
  assert.deepEqual(await eventTypes(ledger, mine), ["session.created", "session.cancel_requested"]);
  assert.deepEqual(await eventTypes(ledger, others), ["session.created"]);
  const [, asked] = await ledger.readEvents({ tenant: mine.tenant, sessionId: mine.session_id, after: 0, limit: 9 });
  assert.deepEqual(asked?.data, { by: "admin-demo", reason: "a test", stop_id: report.stop_id });
  const [decided, intended] = stepEvents(mine, "completion-1");
  assert.ok(decided && intended);
  await assert.rejects(ledger.append([decided, intended]), code("SESSION_CANCELED"));

  const events = await ledger.tenants.readEvents({ tenant: "tenant-demo", after: 0, limit: 10 });
  assert.deepEqual(
    events.map(({ type }) => type),
    ["tenant.created", "sessions.stop_requested", "sessions.stopped"],
  );
  const { decision_id, policy_version, ...order } = events[1]?.data ?? {};
  assert.ok(typeof decision_id === "string" && typeof policy_version === "string");
  assert.deepEqual(order, { stop_id: report.stop_id, scope: "user", target: "user-demo", reason: "a test" });
  assert.deepEqual(events[2]?.data, {
    stop_id: report.stop_id,
    stopped: 0,
    already_ended: 0,
    unknown: 1,
    tokens_revoked: 0,
    tokens_not_revoked: 0,
    list_digest: digestOf(report),
  });

  // What has changed since does not change the answer.
  await ledger.append([{ ...eventContext(mine), type: "session.canceled", key: "session.end", data: {} }]);
  const again = await stop(world, admin, { scope: "user", target: "user-demo" }, headers);
  assert.deepEqual(again.report, report);
  assert.equal((await world.types("tenant-demo")).length, 3, "the same request is the same stop");
  const reused = await stop(world, admin, { scope: "user", target: "somebody-else" }, headers);
  assert.deepEqual([reused.status, reused.code], [422, "IDEMPOTENCY_KEY_REUSED"]);
  assert.deepEqual(await eventTypes(ledger, others), ["session.created"]);
});

test("each scope reaches its own sessions and no other, across pages; a session of the past is counted and left alone", async () => {
  await using world = await openTenantApp(neighbours);
  const { ledger } = world;
  const platform = await platformAdmin(world);
  const admin = await adminOf(world);
  const ids = Array.from({ length: 450 }, (_, index) => `demo-${String(index)}`);
  const rows = await Promise.all(ids.map((session_id) => openSession(ledger, { session_id })));
  const acme = await openSession(ledger, { session_id: "acme-1", tenant: "tenant-acme", user: "user-acme" });
  await world.send(platform, "POST", "/v1/tenants", { tenant: "tenant-acme" });

  const one = await stop(world, admin, { scope: "session", target: "demo-7" });
  assert.deepEqual(one.report.unknown, [{ session_id: "demo-7", why: "temporal_unavailable" }]);
  const byAgent = await stop(world, admin, { scope: "agent", target: "no-such-agent" });
  assert.deepEqual([byAgent.report.unknown.length, byAgent.report.stopped.length], [0, 0]);
  const tenant = await stop(world, admin, { scope: "tenant" });
  assert.deepEqual(
    tenant.report.unknown.map(({ session_id }) => session_id).toSorted(),
    ids.toSorted(),
    "thousands are paged through",
  );
  assert.deepEqual(await eventTypes(ledger, acme), ["session.created"]);
  const agent = await stop(world, admin, { scope: "agent", target: "session-agent" });
  assert.equal(agent.report.unknown.length, 450);
  const all = await stop(world, platform, { scope: "all" });
  assert.equal(all.report.unknown.length, 451);
  assert.deepEqual((await world.types("platform")).slice(-2), ["sessions.stop_requested", "sessions.stopped"]);
  assert.deepEqual((await eventTypes(ledger, acme)).slice(-1), ["session.cancel_requested"]);

  const [past] = rows;
  assert.ok(past);
  await ledger.append([{ ...eventContext(past), type: "session.canceled", key: "session.end", data: {} }]);
  const late = await stop(world, admin, { scope: "session", target: past.session_id });
  assert.deepEqual([late.report.already_ended, late.report.stopped, late.report.unknown], [1, [], []]);
});

test("who may not stop does not: other tenants' sessions are not there, operators and auditors lack the right", async () => {
  await using world = await openTenantApp(neighbours);
  const { ledger } = world;
  const acme = await openSession(ledger, { session_id: "acme-2", tenant: "tenant-acme", user: "user-acme" });
  const mine = await openSession(ledger, { session_id: "mine" });
  const admin = await adminOf(world, ["session.stop", "session.cancel"]);
  const outcome = async (token: string, body: object) => {
    const { status, code: said } = await stop(world, token, body);
    return [status, said];
  };
  assert.deepEqual(await outcome(admin, { scope: "all" }), [403, "FORBIDDEN"]);
  assert.deepEqual(await outcome(admin, { scope: "tenant", tenant: "tenant-acme" }), [404, "TENANT_NOT_FOUND"]);
  assert.deepEqual(await outcome(admin, { scope: "session", target: "acme-2" }), [404, "SESSION_NOT_FOUND"]);
  assert.deepEqual(await outcome(admin, { scope: "session", target: "never-was" }), [404, "SESSION_NOT_FOUND"]);
  assert.deepEqual(await outcome(admin, { scope: "user" }), [400, "VALIDATION_FAILED"]);
  assert.deepEqual(await outcome(admin, { scope: "tenant", target: "x" }), [400, "VALIDATION_FAILED"]);
  for (const [user, scopes] of [
    ["user-demo", ["session.cancel", "session.read"]],
    ["auditor-demo", ["ledger.read"]],
    ["admin-demo", ["session.cancel", "subject.erase"]],
  ] as const) {
    const token = await world.login("tenant-demo", user, scopes);
    assert.deepEqual(await outcome(token, { scope: "session", target: "mine" }), [403, "FORBIDDEN"], user);
  }
  assert.deepEqual(await eventTypes(ledger, acme), ["session.created"]);
  assert.deepEqual(await eventTypes(ledger, mine), ["session.created"]);
  assert.deepEqual(await world.types("tenant-acme"), []);
});

test("without a decision nothing is stopped", async () => {
  await using world = await openTenantApp(neighbours, { policyUrl: new URL("http://127.0.0.1:1/v1/evaluate") });
  const row = await openSession(world.ledger, { session_id: "undecided" });
  const { status, code: said } = await stop(world, await adminOf(world), { scope: "tenant" });
  assert.deepEqual([status, said], [503, "POLICY_UNAVAILABLE"]);
  assert.deepEqual(await eventTypes(world.ledger, row), ["session.created"]);
  assert.deepEqual(await world.types("tenant-demo"), ["tenant.created"]);
});

test("a session that starts while a stop runs is stopped, too", async () => {
  await using world = await openTenantApp(neighbours);
  const { ledger, deps } = world;
  await openSession(ledger, { session_id: "first" });
  let opened = 0;
  const workflows: SessionWorkflows = {
    ...deps.workflows,
    // Between the first pass and the second.
    async cancel(sessionId) {
      opened += 1;
      if (opened <= 2) await openSession(ledger, { session_id: `between-${String(opened)}` });
      return deps.workflows.cancel(sessionId);
    },
  };
  const reached = await endSessions(
    { ...world.stopDeps, workflows },
    { scope: "tenant", tenant: tenantId("tenant-demo") },
    { stopId: "stop_1", by: userId("admin-demo") },
  );
  assert.deepEqual(
    reached.map(({ row, outcome }) => [row.session_id, outcome]),
    ["between-1", "between-2", "first"].map((id) => [id, "temporal_unavailable"]),
  );
});

test("tokens end with what runs on them: of a user's sessions his logins, of one session its step's alone; API keys are named", async () => {
  await using world = await openTenantApp(neighbours);
  const { ledger } = world;
  const logins = await Promise.all([1, 2].map(() => world.login("tenant-demo", "user-demo", ["session.start"])));
  const steps = await Promise.all([1, 2].map(() => world.login("tenant-demo", "user-demo", ["session.start"])));
  const rows = await Promise.all(
    [...logins, "key:abc"].map((login, index) =>
      openSession(
        ledger,
        { session_id: `with-token-${String(index)}` },
        { token: { jti: login === "key:abc" ? login : jtiOf(login), origins: [] } },
      ),
    ),
  );
  for (const [index, step] of steps.entries()) {
    const row = rows[index];
    assert.ok(row);
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const issued = { step: "completion-1", decision_id: "d", jti: jtiOf(step), audience: "a", scopes: [], expires_at };
    const [decided] = stepEvents(row, "completion-1");
    assert.ok(decided?.type === "policy.decided");
    const { effect_key } = decided.data;
    await ledger.append([
      { ...decided, ...eventContext(row) },
      { ...eventContext(row), type: "token.issued", key: "t", data: { ...issued, effect_key } },
    ]);
  }
  const valid = async () => Promise.all([...logins, ...steps].map(isValid));
  assert.deepEqual(await valid(), [true, true, true, true]);
  const admin = await adminOf(world);
  const one = await stop(world, admin, { scope: "session", target: "with-token-0" });
  assert.deepEqual(one.report.tokens, { revoked: 1, not_revoked: 0, api_keys: [] });
  assert.deepEqual(await valid(), [true, true, false, true], "his login may have started others");
  const own = await openSession(
    ledger,
    { session_id: "own", user: "user-demo" },
    { token: { jti: jtiOf(admin), origins: [] } },
  );
  const user = await stop(world, admin, { scope: "user", target: "user-demo" });
  assert.deepEqual(user.report.tokens, { revoked: 4, not_revoked: 0, api_keys: ["abc"] });
  assert.deepEqual(await valid(), [false, false, false, false]);
  assert.equal(await isValid(admin), true, "who stops must still hear of it");
  assert.equal((await readRow(ledger, own)).cancel_requested, true);
});

test("a token that the identity service did not end is told of, and the session is asked to end all the same", async () => {
  await using world = await openTenantApp(neighbours);
  const row = await openSession(
    world.ledger,
    { session_id: "token-unknown" },
    { token: { jti: "x".repeat(1_000), origins: [] } },
  );
  const { report } = await stop(world, await adminOf(world), { scope: "tenant" });
  assert.deepEqual(report.tokens, { revoked: 0, not_revoked: 1, api_keys: [] });
  assert.equal((await readRow(world.ledger, row)).cancel_requested, true);
});
