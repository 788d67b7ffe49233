import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertDayLeft, passTenantGate } from "../../src/activities/tenant-gate.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import { performEffect } from "../../src/activities/perform-effect.ts";
import { dayOf } from "../../src/ledger/tenant-store.ts";
import { openActivityWorld } from "../harness/activity-world.ts";
import { startIdentityService, startPolicyEngine, type IdentityService } from "../harness/real-services.ts";
import { code } from "../ledger/refusal.ts";
import { tenantCreated, tenantResumed, tenantSuspended, tenantUpdated } from "../ledger/sample-tenants.ts";
import { prepareStep, scriptedEffect } from "./governed-step.ts";

let engine: Awaited<ReturnType<typeof startPolicyEngine>>;
let identity: IdentityService;
before(async () => {
  [engine, identity] = await Promise.all([startPolicyEngine(), startIdentityService()]);
});
after(async () => {
  await Promise.all([engine[Symbol.asyncDispose](), identity[Symbol.asyncDispose]()]);
});

test("a suspended tenant's session pauses, says so once however often it is tried, and goes on by itself", async () => {
  await using world = await openActivityWorld();
  const { deps, store, clock } = world;
  await store.ledger.tenants.append({ events: [tenantCreated("tenant-demo"), tenantSuspended("tenant-demo")] });
  for (let attempt = 1; attempt <= 3; attempt += 1)
    await assert.rejects(passTenantGate(deps, await world.row(), "completion-1"), code("TENANT_SUSPENDED"));
  const paused = await world.row();
  assert.deepEqual([paused.status, paused.blocked_code], ["paused", "TENANT_SUSPENDED"]);
  const twins = [passTenantGate(deps, paused, "completion-1"), passTenantGate(deps, paused, "completion-1")];
  assert.ok((await Promise.allSettled(twins)).every(({ status }) => status === "rejected"));
  await store.ledger.tenants.append({ events: [tenantResumed("tenant-demo")] });
  // Another process made the change: here it is seen two seconds later at the latest.
  clock.aheadMs += 2_000;
  const row = await passTenantGate(deps, paused, "completion-1");
  assert.deepEqual([row.status, row.blocked_code], ["starting", undefined]);
  assert.deepEqual(await world.types(), ["session.created", "session.paused", "session.resumed"]);
  assert.equal((await passTenantGate(deps, row, "completion-1")).last_seq, 3);
  await store.ledger.tenants.append({ events: [tenantSuspended("tenant-demo", "again")] });
  clock.aheadMs += 2_000;
  await assert.rejects(passTenantGate(deps, await world.row(), "completion-1"), code("TENANT_SUSPENDED"));
  assert.equal((await world.types()).at(-1), "session.paused");
});

test("a pause that somebody asked for comes before a suspension, stays after it, and ends no step", async () => {
  await using world = await openActivityWorld();
  const { deps, store, clock } = world;
  const stale = await world.row();
  const data = { step: "completion-1", reason: "requested" } as const;
  await store.ledger.append([{ ...eventContext(stale), type: "session.paused", key: "action/act-1/applied", data }]);
  await store.ledger.tenants.append({ events: [tenantCreated("tenant-demo"), tenantSuspended("tenant-demo")] });
  clock.aheadMs += 2_000;
  await assert.rejects(passTenantGate(deps, stale, "completion-1"), code("TENANT_SUSPENDED"));
  await store.ledger.tenants.append({ events: [tenantResumed("tenant-demo")] });
  clock.aheadMs += 2_000;
  // As an attempt saw it that looked while the suspension was the reason.
  const seen = { ...(await world.row()), paused: { reason: "tenant_suspended", resumes_to: "starting" } } as const;
  assert.equal((await passTenantGate(deps, seen, "completion-1")).status, "paused");
  assert.deepEqual(await world.types(), ["session.created", "session.paused"]);
});

test("a permit that was given before the suspension has no effect after it, until the tenant is resumed", async () => {
  await using world = await openActivityWorld({ policy: engine.url, identity });
  const { deps, store, clock } = world;
  const { permit, action, sealed } = await prepareStep(world, "completion-1");
  await store.ledger.tenants.append({ events: [tenantCreated("tenant-demo"), tenantSuspended("tenant-demo")] });
  clock.aheadMs += 2_000;
  const effect = scriptedEffect();
  await assert.rejects(performEffect(deps, permit, action, sealed, effect), code("TENANT_SUSPENDED"));
  assert.equal(effect.calls.length, 0);
  assert.equal((await world.types()).includes("effect.intended"), false);
  await store.ledger.tenants.append({ events: [tenantResumed("tenant-demo")] });
  clock.aheadMs += 2_000;
  assert.equal(await performEffect(deps, permit, action, sealed, effect), "answer 1");
  assert.deepEqual((await world.types()).slice(3), [
    "session.paused",
    "session.resumed",
    "effect.intended",
    "effect.completed",
  ]);
  // Done is done: a repetition is told the outcome, suspended or not.
  await store.ledger.tenants.append({ events: [tenantSuspended("tenant-demo", "again")] });
  clock.aheadMs += 2_000;
  assert.equal(await performEffect(deps, permit, action, sealed, effect), "recalled");
});

test("what has begun when the tenant is suspended ends", async () => {
  await using world = await openActivityWorld({ policy: engine.url, identity });
  const { deps, store, clock } = world;
  const { permit, action, sealed } = await prepareStep(world, "completion-1");
  const effect = scriptedEffect(async () => {
    await store.ledger.tenants.append({ events: [tenantCreated("tenant-demo"), tenantSuspended("tenant-demo")] });
    clock.aheadMs += 2_000;
  });
  assert.equal(await performEffect(deps, permit, action, sealed, effect), "answer 1");
});

test("a day that is used up gives no permit, whichever process used it", async () => {
  await using world = await openActivityWorld({ policy: engine.url, identity });
  const { deps, store, clock } = world;
  await assertDayLeft(deps, await world.row());
  await store.ledger.tenants.append({ events: [tenantCreated("tenant-demo", { tokens_per_day: 3 })] });
  clock.aheadMs += 2_000;
  await assertDayLeft(deps, await world.row());
  const { permit, action, sealed } = await prepareStep(world, "completion-1");
  await performEffect(deps, permit, action, sealed, scriptedEffect());
  const { spent } = await store.ledger.tenants.useOn({ tenant: "tenant-demo", day: dayOf(new Date()) });
  assert.equal(spent.tokens, 3);
  await assert.rejects(assertDayLeft(deps, await world.row()), code("QUOTA_EXCEEDED"));
  await store.ledger.tenants.append({ events: [tenantUpdated("tenant-demo", "more", { tokens_per_day: 4 })] });
  clock.aheadMs += 2_000;
  await assertDayLeft(deps, await world.row());
});
