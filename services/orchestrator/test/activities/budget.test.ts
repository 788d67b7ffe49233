import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { eventData, type NewEvent } from "@soma/contracts/audit";
import type { Budget } from "@soma/contracts/budget";
import { isUserId, type UserId } from "@soma/contracts/ids";
import { Value } from "typebox/value";
import { performEffect } from "../../src/activities/perform-effect.ts";
import { createRecordExhaustedBudget } from "../../src/activities/record-exhausted-budget.ts";
import { eventContext, stepKeys } from "../../src/activities/step-events.ts";
import { assertWithinReserve, type StepMeter } from "../../src/budgets/step-meter.ts";
import { costOfUsage } from "../../src/budgets/worst-case.ts";
import { dayOf } from "../../src/ledger/tenant-store.ts";
import { openActivityWorld, type ActivityWorld } from "../harness/activity-world.ts";
import { startIdentityService, startPolicyEngine, type IdentityService } from "../harness/real-services.ts";
import { code } from "../ledger/refusal.ts";
import { tenantCreated } from "../ledger/sample-tenants.ts";
import { prepareStep, scriptedEffect, type PreparedStep } from "./governed-step.ts";

let policy: Awaited<ReturnType<typeof startPolicyEngine>>;
let identity: IdentityService;
before(async () => {
  [policy, identity] = await Promise.all([startPolicyEngine(), startIdentityService()]);
});
after(async () => {
  await Promise.all([policy[Symbol.asyncDispose](), identity[Symbol.asyncDispose]()]);
});

const step = "completion-1";
const prices = {
  version: "test",
  currency: "EUR",
  models: { default: { input_micros_per_million: 2_000_000, output_micros_per_million: 3_000_000 } },
};
const prompt = "kick off a demo";
/** Bytes of the prompt and the role, the frames, and what the model may write. */
const worst = 256 + 16 + "user".length + prompt.length + 40;
const meter: StepMeter = {
  model: undefined,
  asked: () => Promise.resolve({ messages: [{ role: "user", content: prompt }], sampling: { max_tokens: 40 } }),
};

const openWorld = (budget?: Budget, priced = false): Promise<ActivityWorld> =>
  openActivityWorld({
    policy: policy.url,
    identity,
    session: budget === undefined ? {} : { budget },
    ...(priced && { prices }),
  });
const perform = (world: ActivityWorld, { permit, action, sealed }: PreparedStep, effect = scriptedEffect()) =>
  performEffect(world.deps, permit, action, sealed, effect);
const exhaust = (world: ActivityWorld, { permit }: PreparedStep) => {
  const { tenant, session_id, round, reserve = { tokens: 0, cost_micros: 0 } } = permit;
  return createRecordExhaustedBudget(world.deps)({ tenant, session_id, step, round, reserve });
};

function approver(): UserId {
  const user = "approver-1";
  if (!isUserId(user)) throw new Error("not a user id");
  return user;
}

async function extended(world: ActivityWorld, added: Budget, number = 1): Promise<void> {
  const row = await world.row();
  const action_id = `act_${String(number).repeat(32)}`;
  const data = { action_id, by: approver(), added, limit: { ...row.budget?.limit } };
  const event: NewEvent = { ...eventContext(row), type: "budget.extended", key: `action/${action_id}/applied`, data };
  await world.deps.ledger.append([event]);
}

test("without a budget and without a quota nothing is reckoned, and the permit is as it was", async () => {
  await using world = await openWorld();
  let asked = 0;
  const counted = { ...meter, asked: () => ((asked += 1), meter.asked()) };
  const { permit } = await prepareStep(world, step, 1, counted);
  assert.deepEqual([permit.reserve, permit.price, asked], [undefined, undefined, 0]);
  assert.notEqual(permit.max_output_tokens, 40);
});

test("the worst case is set aside with the intent, what was used takes its place, and the cost is by the price of the intent", async () => {
  await using world = await openWorld({ tokens: 2_000, cost_micros: 5_000 }, true);
  await world.deps.ledger.tenants.append({ events: [tenantCreated("tenant-demo")] });
  const prepared = await prepareStep(world, step, 1, meter);
  const price = world.deps.prices.require(undefined);
  const cost_micros = (worst - 40) * 2 + 40 * 3;
  assert.deepEqual(prepared.permit.reserve, { tokens: worst, cost_micros });
  assert.deepEqual(prepared.permit.price, price);
  assert.equal(prepared.permit.max_output_tokens, 40);
  const during = scriptedEffect(async () => {
    const { budget } = await world.row();
    assert.deepEqual(budget?.reserved, { [prepared.permit.effect_key]: { tokens: worst, cost_micros } });
  });
  assert.equal(await perform(world, prepared, during), "answer 1");
  const events = await world.events();
  const intended = events.find(({ type }) => type === "effect.intended")?.data;
  assert.deepEqual([intended?.["reserved"], intended?.["price"]], [{ tokens: worst, cost_micros }, price]);
  const completed = events.find(({ type }) => type === "effect.completed")?.data;
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  // Anybody can work it out again from these two events.
  assert.equal(completed?.["cost_micros"], costOfUsage(usage, price));
  assert.equal(completed["cost_micros"], 8);
  const { budget } = await world.row();
  assert.deepEqual([budget?.spent, budget?.reserved], [{ tokens: 3, cost_micros: 8, steps: 1 }, {}]);
});

test("money that is bounded needs a price, by the session's budget or by the tenant's day; tokens do not", async () => {
  await using world = await openWorld({ cost_micros: 5_000 });
  await assert.rejects(prepareStep(world, step, 1, meter), code("PRICE_UNKNOWN"));
  await using plain = await openWorld({ tokens: 5_000 });
  assert.equal((await prepareStep(plain, step, 1, meter)).permit.reserve?.cost_micros, 0);
  await using bounded = await openWorld();
  await bounded.deps.ledger.tenants.append({ events: [tenantCreated("tenant-demo", { cost_micros_per_day: 9 })] });
  await assert.rejects(prepareStep(bounded, step, 1, meter), code("PRICE_UNKNOWN"));
});

test("out of budget: no effect, the token ends, one event says which bound, and an extension lets the next round go", async () => {
  await using world = await openWorld({ tokens: worst - 1 });
  const first = await prepareStep(world, step, 1, meter);
  const effect = scriptedEffect();
  await assert.rejects(perform(world, first, effect), code("BUDGET_EXCEEDED"));
  assert.equal(effect.calls.length, 0);
  assert.equal(await world.deps.identity.verify(first.token), undefined);
  assert.equal((await world.types()).includes("effect.intended"), false);
  assert.match(
    await world.deps.metrics.budgetRefusals.get().then(JSON.stringify),
    /"value":1,"labels":\{"dimension":"tokens"\}/,
  );
  for (let attempt = 1; attempt <= 2; attempt += 1) assert.equal(await exhaust(world, first), "wait");
  assert.equal((await world.row()).status, "waiting_budget");
  const told = (await world.events()).filter(({ type }) => type === "budget.exhausted");
  assert.deepEqual(
    told.map(({ data }) => data),
    [{ step, dimension: "tokens", limit: worst - 1, used: 0, needed: worst }],
  );
  await extended(world, { tokens: 1 });
  assert.equal((await world.row()).status, "running");
  // What was decided for the round before is decided again, on the budget as it is now.
  const second = await prepareStep(world, step, 2, meter);
  assert.equal(await perform(world, second, effect), "answer 1");
  assert.equal((await world.row()).budget?.spent.tokens, 3);
});

test("an extension that comes before the exhaustion is recorded makes nobody wait", async () => {
  await using world = await openWorld({ tokens: worst - 1 });
  const first = await prepareStep(world, step, 1, meter);
  await assert.rejects(perform(world, first), code("BUDGET_EXCEEDED"));
  await extended(world, { tokens: 500 });
  assert.equal(await exhaust(world, first), "decide_anew");
  assert.equal((await world.types()).includes("budget.exhausted"), false);
  // Even between the look and the record: the ledger refuses what is not so any more.
  const row = await world.row();
  const data = { step, dimension: "tokens", limit: worst - 1, used: 0, needed: worst } as const;
  await assert.rejects(
    world.deps.ledger.append([{ ...eventContext(row), type: "budget.exhausted", key: "late", data }]),
    code("TRANSITION_NOT_ALLOWED"),
  );
});

test("policy's word decides whether a step without budget ends", async () => {
  await using world = await openWorld({ steps: 1 });
  await perform(world, await prepareStep(world, step, 1, meter));
  const row = await world.row();
  const decided = await world.deps.ledger.findEvent(row.tenant, row.session_id, stepKeys.decided(step, 1));
  // As a pack with the obligation out_of_budget makes it stand in the ledger.
  const recorded = Value.Parse(eventData["policy.decided"], decided?.data);
  const obligations = [{ kind: "out_of_budget" as const, choice: "end" as const }];
  const data = { ...recorded, step: "completion-2", obligations };
  const key = stepKeys.decided("completion-2", 1);
  await world.deps.ledger.append([{ ...eventContext(row), type: "policy.decided", key, data }]);
  const { tenant, session_id } = row;
  const input = { tenant, session_id, step: "completion-2", round: 1, reserve: { tokens: 1, cost_micros: 0 } };
  assert.equal(await createRecordExhaustedBudget(world.deps)(input), "end");
  const told = (await world.events()).find(({ type }) => type === "budget.exhausted");
  assert.deepEqual([told?.data["dimension"], told?.data["limit"], told?.data["used"]], ["steps", 1, 1]);
});

test("a tenant's day has room for the worst case or the step does not begin; other processes' reservations count", async () => {
  await using world = await openWorld();
  const { ledger } = world.deps;
  await ledger.tenants.append({ events: [tenantCreated("tenant-demo", { tokens_per_day: worst + 2 })] });
  const first = await prepareStep(world, step, 1, meter);
  const second = await prepareStep(world, "completion-2", 1, meter);
  const effect = scriptedEffect(async () => {
    await assert.rejects(perform(world, second), code("QUOTA_EXCEEDED"));
  });
  await perform(world, first, effect);
  assert.equal(await world.deps.identity.verify(second.token), undefined);
  const { spent, reserved } = await ledger.tenants.useOn({ tenant: "tenant-demo", day: dayOf(new Date()) });
  assert.deepEqual([spent.tokens, reserved.tokens], [3, 0]);
  assert.match(await world.deps.metrics.budgetRefusals.get().then(JSON.stringify), /tokens_per_day/);
});

test("what runs when wall_seconds are over ends, with a code that says so; nothing begins after it", async () => {
  await using world = await openWorld({ wall_seconds: 10 });
  const prepared = await prepareStep(world, step, 1, meter);
  await aheadTo(world, 9_700);
  const effect = scriptedEffect(({ signal }) => ended(signal));
  await assert.rejects(perform(world, prepared, effect), code("BUDGET_EXCEEDED"));
  assert.equal(effect.calls.length, 1);
  const again = scriptedEffect();
  // The ledger's clock is the real one here and would let it in: it is the worker that does not begin.
  await assert.rejects(perform(world, await prepareStep(world, step, 2, meter), again), code("BUDGET_EXCEEDED"));
  assert.equal(again.calls.length, 0);
});

test("an extension of wall_seconds reaches an effect that runs", async () => {
  await using world = await openWorld({ wall_seconds: 10 });
  const prepared = await prepareStep(world, step, 1, meter);
  await aheadTo(world, 9_800);
  const effect = scriptedEffect(async ({ signal }) => {
    await extended(world, { wall_seconds: 20 });
    await setTimeout(600);
    signal.throwIfAborted();
  });
  assert.equal(await perform(world, prepared, effect), "answer 1");
});

function permitFor(tokens: number) {
  return { reserve: { tokens, cost_micros: 0 }, max_output_tokens: 100 };
}

test("a call with more than was set aside for it is not made", () => {
  const messages = [{ role: "user", content: "12345" }] as const;
  const bound = 256 + 16 + 4 + 5 + 100;
  assertWithinReserve({}, { messages: [...messages] });
  assertWithinReserve(permitFor(bound), { messages: [...messages] });
  assert.throws(() => assertWithinReserve(permitFor(bound - 1), { messages: [...messages] }), code("PERMIT_INVALID"));
  const uncapped = { reserve: { tokens: 1_000_000, cost_micros: 0 } };
  assert.throws(() => assertWithinReserve(uncapped, { messages: [...messages] }), code("PERMIT_INVALID"));
});

/** Moves the workers' clock to so many milliseconds after the session's start. */
async function aheadTo(world: ActivityWorld, ms: number): Promise<void> {
  const { created_at } = await world.row();
  world.clock.aheadMs = Date.parse(created_at) + ms - Date.now();
}

/** Rejects as a call does whose signal fires. */
function ended(signal: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("the connection was closed")));
  });
}
