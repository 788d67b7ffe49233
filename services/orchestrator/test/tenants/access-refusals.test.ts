import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { AccessReport } from "@soma/contracts/access";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { RefusalTally } from "../../src/tenants/refusal-tally.ts";
import { tenantId } from "../harness/ids.ts";
import { openTenantApp, startNeighbours, type Neighbours } from "./tenant-app.ts";

let neighbours: Neighbours;
before(async () => {
  neighbours = await startNeighbours();
});
after(() => neighbours[Symbol.asyncDispose]());

const times = { first_at: "2026-11-21T18:00:00Z", last_at: "2026-11-21T18:00:09.5Z" };
const report = (changes: Partial<AccessReport> = {}): AccessReport => ({
  report_id: randomUUID(),
  reason: "signature",
  count: 7,
  ...times,
  ...changes,
});

test("nobody but the gateway itself reports refusals or asks for admission, not even through it", async () => {
  await using closed = await openTenantApp(neighbours);
  await using open = await openTenantApp(neighbours, { gateway: true });
  const admin = await closed.platform();
  for (const [world, token] of [
    [closed, undefined],
    [closed, admin],
    // What the gateway passes on is from it, too: but a caller's, with the caller's token.
    [open, admin],
  ] as const) {
    for (const [method, url, body] of [
      ["POST", "/v1/access-reports", { reports: [report()] }],
      ["GET", "/v1/tenants/platform/admission", undefined],
    ] as const) {
      const answer = await world.send(token, method, url, body);
      assert.deepEqual([answer.statusCode, answer.json().code], [403, "GATEWAY_REQUIRED"]);
    }
    assert.deepEqual(await world.types("platform"), []);
  }
});

test("a report is one event in its tenant's ledger, however often it comes; an unknown tenant's is the installation's to know", async () => {
  await using world = await openTenantApp(neighbours, { gateway: true });
  const { send } = world;
  const demo = await world.login("tenant-demo", "viewer-demo", ["tenant.read"]);
  assert.equal((await send(demo, "GET", "/v1/tenants/tenant-demo")).statusCode, 200);
  const reports = [
    report({ tenant: tenantId("tenant-demo"), reason: "rate", count: 1_000_000 }),
    report({ tenant: tenantId("tenant-demo"), reason: "scope" }),
    report({ tenant: tenantId("tenant-never") }),
    report(),
  ];
  for (let round = 0; round < 2; round += 1) {
    const answer = await send(undefined, "POST", "/v1/access-reports", { reports });
    assert.deepEqual([answer.statusCode, answer.body], [204, ""]);
  }
  assert.deepEqual(await world.types("tenant-demo"), ["tenant.created", "access.refused", "access.refused"]);
  assert.deepEqual(await world.types("platform"), ["tenant.created", "access.refused", "access.refused"]);
  assert.equal(await world.ledger.tenants.find("tenant-never"), undefined);
  const [, first] = await world.ledger.tenants.readEvents({ tenant: "tenant-demo", after: 0, limit: 10 });
  assert.equal(first?.user, "service:gateway");
  assert.deepEqual(first?.data, {
    reason: "rate",
    count: 1_000_000,
    first_at: "2026-11-21T18:00:00.000Z",
    last_at: "2026-11-21T18:00:09.500Z",
  });
  // An id that was used for another report holds those beside it not up.
  const mixed = [{ ...reports[0], count: 3 }, report({ tenant: tenantId("tenant-demo") })];
  assert.equal((await send(undefined, "POST", "/v1/access-reports", { reports: mixed })).statusCode, 204);
  assert.equal((await world.types("tenant-demo")).length, 4);
  const bad = await send(undefined, "POST", "/v1/access-reports", { reports: [report({ first_at: "soon" })] });
  assert.equal(bad.json().code, "VALIDATION_FAILED");
});

test("the gateway is told what a tenant may use and does use", async () => {
  await using world = await openTenantApp(neighbours, { gateway: true });
  const demo = await world.login("tenant-demo", "user-demo", ["session.start", "tenant.read"]);
  assert.equal((await world.send(undefined, "GET", "/v1/tenants/tenant-demo/admission")).statusCode, 404);
  assert.equal(
    (await world.send(demo, "POST", "/v1/sessions", { prompt: "x", metadata: { session_id: randomUUID() } }))
      .statusCode,
    503,
  );
  const { quotas, ...admission } = (await world.send(undefined, "GET", "/v1/tenants/tenant-demo/admission")).json();
  assert.deepEqual(admission, {
    tenant: "tenant-demo",
    status: "active",
    usage: { running_sessions: 1, tokens_today: 0 },
  });
  assert.equal(quotas.running_sessions, 100);
});

test("a caller who names another tenant than his token is counted, and a flood of it is one event", async () => {
  await using world = await openTenantApp(neighbours);
  const demo = await world.login("tenant-demo", "user-demo", ["session.start", "session.read", "tenant.read"]);
  await world.send(demo, "GET", "/v1/tenants/tenant-demo");
  for (let index = 0; index < 40; index += 1) {
    const answer = await world.send(demo, "POST", "/v1/sessions", { tenant: "tenant-acme", prompt: "x" });
    assert.equal(answer.json().code, "PRINCIPAL_MISMATCH");
  }
  await world.send(demo, "GET", "/v1/sessions?tenant=tenant-acme");
  assert.deepEqual(await world.types("tenant-demo"), ["tenant.created"]);
  // The last window ends with the process, before its ledger does.
  await world.app.close();
  const [, refused, ...others] = await world.ledger.tenants.readEvents({ tenant: "tenant-demo", after: 0, limit: 10 });
  assert.deepEqual([refused?.data["reason"], refused?.data["count"], others], ["tenant_mismatch", 41, []]);
  assert.equal(refused?.user, "service:orchestrator");
});

test("the tally is bounded in tenants, keeps what the ledger does not take, and sends it again under the same ids", async () => {
  const recorded: (readonly AccessReport[])[] = [];
  let fails = true;
  const { log } = createTestLog();
  const tally = new RefusalTally({
    log,
    windowMs: 3_600_000,
    record: (reports) => {
      recorded.push(reports);
      return fails ? Promise.reject(new Error("away")) : Promise.resolve();
    },
  });
  for (let index = 0; index < 1_000; index += 1) tally.count(tenantId(`tenant-${String(index)}`), "tenant_mismatch");
  await tally.flush();
  fails = false;
  tally.count(tenantId("tenant-0"), "tenant_mismatch");
  await tally.flush();
  await tally.close();
  const [first = [], second = []] = recorded;
  assert.equal(recorded.length, 2);
  assert.equal(first.length, 201);
  assert.equal(first.find(({ tenant }) => tenant === undefined)?.count, 800);
  assert.deepEqual(second.slice(0, 201), first);
  assert.equal(second.length, 202);
});
