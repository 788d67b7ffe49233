import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { CancelledFailure } from "@temporalio/common";
import { performEffect } from "../../src/activities/perform-effect.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import { deriveWorkerKeys } from "../../src/permits/worker-key.ts";
import { openActivityWorld, type ActivityWorld } from "../harness/activity-world.ts";
import { startIdentityService, startPolicyEngine, type IdentityService } from "../harness/real-services.ts";
import { code } from "../ledger/refusal.ts";
import { prepareStep, scriptedEffect, type PreparedStep } from "./governed-step.ts";

let policy: Awaited<ReturnType<typeof startPolicyEngine>>;
let identity: IdentityService;
before(async () => {
  policy = await startPolicyEngine();
  identity = await startIdentityService();
});
after(async () => {
  await policy[Symbol.asyncDispose]();
  await identity[Symbol.asyncDispose]();
});

const openWorld = (): Promise<ActivityWorld> => openActivityWorld({ policy: policy.url, identity });
const perform = (world: ActivityWorld, step: PreparedStep, effect: ReturnType<typeof scriptedEffect>) =>
  performEffect(world.deps, step.permit, step.action, step.sealed, effect);
const ofStep = (types: readonly string[]): string[] => types.filter((type) => type.startsWith("effect."));

test("intent before effect, outcome after it, and then the token is worth nothing", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  const effect = scriptedEffect(async ({ token, permit, row }) => {
    // Seen from inside the effect: the intent is durable, for another handle on the same file, too.
    assert.deepEqual(ofStep(await world.types()), ["effect.intended"]);
    const other = await world.store.reopen();
    const durable = await other.readEvents({ tenant: row.tenant, sessionId: row.session_id, after: 0, limit: 100 });
    const intent = durable.find(({ type }) => type === "effect.intended");
    assert.equal(intent?.data["effect_key"], permit.effect_key);
    assert.equal(intent.data["decision_id"], permit.decision_id);
    assert.equal(intent.data["action_digest"], permit.action_digest);
    assert.equal(intent.data["jti"], step.sealed.jti);
    // The token is the one that was minted for this step, and still good.
    assert.equal(token, step.token);
    assert.equal((await world.deps.identity.verify(token))?.step, "completion-1");
  });
  assert.equal(await perform(world, step, effect), "answer 1");
  assert.deepEqual(ofStep(await world.types()), ["effect.intended", "effect.completed"]);
  assert.equal(await world.deps.identity.verify(step.token), undefined);
  const text = await world.deps.ledger.readContent({
    tenant: step.permit.tenant,
    user: "user-demo",
    digest: sha256("answer 1"),
  });
  assert.equal(Buffer.from(text ?? []).toString(), "answer 1");
  // P6, P7: the token stands in no event and no log line.
  assert.ok(!JSON.stringify(await world.events()).includes(step.token));
  assert.ok(!world.log.text().includes(step.token));
});

test("an outcome that is recorded is recalled: the effect is not done again, by whichever worker", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  await perform(world, step, scriptedEffect());
  const again = scriptedEffect();
  assert.equal(await perform(world, step, again), "recalled");
  // A later round of the same step is the same effect.
  const later = await prepareStep(world, "completion-1", 2);
  assert.equal(await perform(world, later, again), "recalled");
  assert.equal(again.calls.length, 0);
  const [, completed] = (await world.events()).filter(({ type }) => type.startsWith("effect."));
  assert.deepEqual(again.recalled, [completed?.data, completed?.data]);
  assert.deepEqual(ofStep(await world.types()), ["effect.intended", "effect.completed"]);
});

for (const [when, intendedBefore] of [
  ["before the intent", false],
  ["between two attempts", true],
] as const) {
  test(`a cancellation that was asked for ${when}: no effect begins, and the token ends`, async () => {
    await using world = await openWorld();
    const step = await prepareStep(world, "completion-1");
    const dying = scriptedEffect(() => {
      throw new DomainError("MODEL_UNAVAILABLE", "The model is away.");
    });
    if (intendedBefore) await assert.rejects(perform(world, step, dying), code("MODEL_UNAVAILABLE"));
    const row = await world.row();
    await world.deps.ledger.append([
      {
        ...eventContext(row),
        type: "session.cancel_requested",
        key: "session.cancel_requested",
        data: { by: row.user },
      },
    ]);
    const effect = scriptedEffect();
    await assert.rejects(perform(world, step, effect), code("SESSION_CANCELED"));
    assert.equal(effect.calls.length, 0);
    assert.deepEqual(ofStep(await world.types()), intendedBefore ? ["effect.intended"] : []);
    assert.equal(await world.deps.identity.verify(step.token), undefined);
  });
}

test("a crash between effect and record: the next attempt does it again under the same key, on one intent", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  const dying = scriptedEffect(() => world.deps.ledger.close());
  await assert.rejects(perform(world, step, dying), code("AUDIT_UNAVAILABLE"));
  const ledger = await world.store.reopen();
  const next = { ...world.deps, ledger };
  const second = scriptedEffect();
  assert.equal(await performEffect(next, step.permit, step.action, step.sealed, second), "answer 1");
  assert.equal(second.calls[0]?.permit.effect_key, dying.calls[0]?.permit.effect_key);
  // Its token was not ended by the attempt that died: the next one needs it.
  assert.equal(second.calls[0]?.token, step.token);
  const events = await ledger.readEvents({
    tenant: step.permit.tenant,
    sessionId: step.permit.session_id,
    after: 0,
    limit: 100,
  });
  assert.deepEqual(ofStep(events.map(({ type }) => type)), ["effect.intended", "effect.completed"]);
});

test("an attempt that was given up for dead and answers late: the outcome that was recorded first is the step's", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  const late = scriptedEffect(async () => {
    assert.equal(await perform(world, step, scriptedEffect()), "answer 1");
  }, "late answer");
  assert.equal(await perform(world, step, late), "recalled");
  assert.deepEqual(ofStep(await world.types()), ["effect.intended", "effect.completed"]);
  const completed = (await world.events()).find(({ type }) => type === "effect.completed");
  assert.equal(completed?.data["result_digest"], sha256("answer 1"));
  assert.deepEqual(late.recalled, [completed.data]);
});

test("no durable intent, no effect", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  await world.deps.ledger.close();
  const effect = scriptedEffect();
  await assert.rejects(perform(world, step, effect), code("AUDIT_UNAVAILABLE"));
  assert.equal(effect.calls.length, 0);
});

test("a session that has ended takes no intent, hence no effect", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  const row = await world.row();
  const { tenant, session_id, user, agent, authn } = row;
  const ended = {
    tenant,
    session_id,
    user,
    agent,
    authn,
    type: "session.canceled",
    key: "session.end",
    data: {},
  } as const;
  await world.deps.ledger.append([ended]);
  const effect = scriptedEffect();
  await assert.rejects(perform(world, step, effect), code("SESSION_ENDED"));
  assert.equal(effect.calls.length, 0);
});

const voided: readonly [
  title: string,
  expected: DomainError["code"],
  change: (world: ActivityWorld, step: PreparedStep) => PreparedStep | Promise<PreparedStep>,
][] = [
  [
    "a permit that has expired",
    "PERMIT_EXPIRED",
    (world, step) => {
      world.clock.aheadMs = 61_000;
      return step;
    },
  ],
  [
    "a token that has expired",
    "PERMIT_EXPIRED",
    (world, step) => ({ ...step, sealed: { ...step.sealed, expires_at: world.deps.now().toISOString() } }),
  ],
  ["a permit without its mac", "PERMIT_INVALID", (_world, step) => ({ ...step, permit: { ...step.permit, mac: "" } })],
  [
    "a permit whose life was made longer",
    "PERMIT_INVALID",
    (_world, step) => ({ ...step, permit: { ...step.permit, expires_at: "2999-01-01T00:00:00.000Z" } }),
  ],
  [
    "a permit whose limit was taken away or made larger",
    "PERMIT_INVALID",
    (_world, step) => ({ ...step, permit: { ...step.permit, max_output_tokens: 1_000_000 } }),
  ],
  [
    "another action than the permitted one",
    "PERMIT_INVALID",
    (_world, step) => ({ ...step, action: { ...step.action, resource: "model:expensive" } }),
  ],
  [
    "another prompt than the permitted one",
    "PERMIT_INVALID",
    (_world, step) => ({ ...step, action: { ...step.action, arguments: { prompt_digest: sha256("another") } } }),
  ],
  [
    "the permit of another step with this step's token",
    "PERMIT_INVALID",
    async (world, step) => ({ ...(await prepareStep(world, "completion-2")), sealed: step.sealed }),
  ],
  [
    "a token that was tampered with",
    "PERMIT_INVALID",
    (_world, step) => ({ ...step, sealed: { ...step.sealed, sealed: `AA${step.sealed.sealed.slice(2)}` } }),
  ],
];

for (const [title, expected, change] of voided) {
  test(`${title}: ${expected}, no intent and no effect`, async () => {
    await using world = await openWorld();
    const step = await change(world, await prepareStep(world, "completion-1"));
    const effect = scriptedEffect();
    await assert.rejects(perform(world, step, effect), code(expected));
    assert.equal(effect.calls.length, 0);
    assert.deepEqual(ofStep(await world.types()), []);
  });
}

test("a permit of a worker with another key is void here", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  const stranger = { ...world.deps, keys: deriveWorkerKeys(Buffer.alloc(32, 9)) };
  const effect = scriptedEffect();
  await assert.rejects(performEffect(stranger, step.permit, step.action, step.sealed, effect), code("PERMIT_INVALID"));
  assert.equal(effect.calls.length, 0);
});

const down = new DomainError("MODEL_UNAVAILABLE", "away");
const lying = new DomainError("MODEL_BAD_RESPONSE", "odd");

test("an outage is recorded once, however often and in whichever way the effect fails, and twice for two", async () => {
  await using world = await openWorld();
  for (const name of ["completion-1", "completion-2"]) {
    const step = await prepareStep(world, name);
    const effect = scriptedEffect((_call, count) => {
      if (count === 2) throw lying;
      if (count <= 3) throw down;
    });
    for (const expected of [down, lying, down]) {
      await assert.rejects(perform(world, step, effect), code(expected.code));
      const { blocked_on, blocked_code } = await world.row();
      assert.deepEqual([blocked_on, blocked_code], ["slm", "MODEL_UNAVAILABLE"]);
    }
    assert.equal(await perform(world, step, effect), "answer 4");
    assert.equal((await world.row()).blocked_on, undefined);
  }
  const ofOutages = (await world.types()).filter((type) => /^(dependency|effect)\./.test(type));
  const once = ["effect.intended", "dependency.unavailable", "dependency.recovered", "effect.completed"];
  assert.deepEqual(ofOutages, [...once, ...once]);
});

test("two attempts that fail at once in two ways: each keeps its own error, and the outage is one", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  const bothIn = Promise.withResolvers<void>();
  const outcomes = await Promise.allSettled([
    perform(
      world,
      step,
      scriptedEffect(async () => {
        await bothIn.promise;
        throw down;
      }),
    ),
    perform(
      world,
      step,
      scriptedEffect(() => {
        bothIn.resolve();
        throw lying;
      }),
    ),
  ]);
  const codes = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : outcome.value));
  assert.deepEqual(codes, ["MODEL_UNAVAILABLE", "MODEL_BAD_RESPONSE"]);
  const outages = (await world.types()).filter((type) => type === "dependency.unavailable");
  assert.equal(outages.length, 1);
});

test("the token stays while the step is to be tried again", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  for (const error of [
    down,
    lying,
    new DomainError("AUDIT_UNAVAILABLE", "full"),
    new TypeError("a defect of ours"),
    new CancelledFailure("WORKER_SHUTDOWN"),
    new CancelledFailure("TIMED_OUT"),
  ]) {
    const effect = scriptedEffect(() => {
      throw error;
    });
    await assert.rejects(perform(world, step, effect), (thrown) => thrown === error);
    assert.ok(await world.deps.identity.verify(step.token), String(error));
  }
});

for (const error of [new DomainError("MODEL_REJECTED", "no"), new CancelledFailure("CANCELLED")]) {
  test(`the token ends with a step that ends: ${error.message}`, async () => {
    await using world = await openWorld();
    const step = await prepareStep(world, "completion-1");
    const effect = scriptedEffect(() => {
      throw error;
    });
    await assert.rejects(perform(world, step, effect), (thrown) => thrown === error);
    assert.equal(await world.deps.identity.verify(step.token), undefined);
    assert.deepEqual(ofStep(await world.types()), ["effect.intended"]);
  });
}

test("a token that cannot be revoked does not undo the step, and the log says so without it", async () => {
  await using world = await openWorld();
  const step = await prepareStep(world, "completion-1");
  const effect = scriptedEffect(() => world.deps.identity.close());
  assert.equal(await perform(world, step, effect), "answer 1");
  assert.deepEqual(ofStep(await world.types()), ["effect.intended", "effect.completed"]);
  const [line] = world.log.lines();
  assert.equal(line?.["level"], "warn");
  assert.equal(line["session_id"], "sess-1");
  assert.ok(!world.log.text().includes(step.token));
});
