import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { decodeJwt } from "jose";
import { performEffect } from "../../src/activities/perform-effect.ts";
import { mintStepToken } from "../../src/activities/mint-step-token.ts";
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

/** A session that was started with a login, and that login. */
async function openWorld(): Promise<{ world: ActivityWorld; login: string }> {
  const login = await identity.login({
    user_id: "user-demo",
    tenant_id: "tenant-demo",
    capabilities: ["session.start"],
    ttl_seconds: 3_600,
  });
  const token = { jti: String(decodeJwt(login).jti), origins: [] };
  // A step's key is made of tenant, session and step: one service hears of each session here once.
  const session = { session_id: `sess-${randomUUID()}` };
  return { world: await openActivityWorld({ policy: policy.url, identity, token, session }), login };
}

const perform = (world: ActivityWorld, step: PreparedStep, effect: ReturnType<typeof scriptedEffect>) =>
  performEffect(world.deps, step.permit, step.action, step.sealed, effect);
const ofStep = (types: readonly string[]): string[] => types.filter((type) => /^(effect|dependency)\./.test(type));
const never = new AbortController().signal;

/** An effect that lasts for two questions of its watch, and must not be told to end. */
const slow = (ahead: ActivityWorld, begin: () => Promise<void>) =>
  scriptedEffect(async ({ signal }) => {
    await begin();
    ahead.clock.aheadMs = 9_000;
    await new Promise((resolve) => void setTimeout(resolve, 7_000));
    assert.ok(!signal.aborted);
  });

const warnings = (on: ActivityWorld): number => on.log.text().split("whether a running step's token").length - 1;

// Each waits for the watch's own rhythm of three seconds.
suite("a running effect and its token", { concurrency: true }, () => {
  test("the login revoked while the effect runs: it is told, it ends, no outcome is recorded, and its token is void", async () => {
    const { world, login } = await openWorld();
    await using _ = world;
    const step = await prepareStep(world, "completion-1");
    assert.deepEqual(decodeJwt(step.token)["origins"], [decodeJwt(login).jti]);
    const effect = scriptedEffect(async ({ signal }) => {
      await world.deps.identity.revoke(login);
      world.clock.aheadMs = 9_000;
      await once(signal, "abort");
      throw signal.reason;
    });
    await assert.rejects(perform(world, step, effect), code("MODEL_TOKEN_REFUSED"));
    assert.deepEqual(ofStep(await world.types()), ["effect.intended"]);
    // The round that follows gets no token: the session ends.
    const { permit, action } = step;
    const next = { row: await world.row(), permit, action, audience: "somagent-slm", renewal: 0, signal: never };
    await assert.rejects(mintStepToken(world.deps, next), code("ACCESS_REVOKED"));
  });

  test("an effect that says of its end what it likes has ended because of the token", async () => {
    const { world, login } = await openWorld();
    await using _ = world;
    const step = await prepareStep(world, "completion-1");
    const effect = scriptedEffect(async ({ signal }) => {
      await world.deps.identity.revoke(login);
      world.clock.aheadMs = 9_000;
      await once(signal, "abort");
      throw new TypeError("terminated");
    });
    await assert.rejects(perform(world, step, effect), code("MODEL_TOKEN_REFUSED"));
  });

  test("a token that is as good as before stops nothing, and an identity service that is away neither", async () => {
    const { world } = await openWorld();
    await using _ = world;
    await using passing = await startIdentityService();
    await using other = await openActivityWorld({ policy: policy.url, identity: passing });
    const [step, step2] = [await prepareStep(world, "completion-1"), await prepareStep(other, "completion-1")];
    const outcomes = await Promise.all([
      perform(
        world,
        step,
        slow(world, () => Promise.resolve()),
      ),
      perform(
        other,
        step2,
        slow(other, async () => {
          await passing[Symbol.asyncDispose]();
        }),
      ),
    ]);
    assert.deepEqual(outcomes, ["answer 1", "answer 1"]);
    assert.deepEqual([warnings(world), warnings(other)], [0, 1], "once for an outage, and nothing without one");
    assert.deepEqual(ofStep(await other.types()), ["effect.intended", "effect.completed"], "nothing waited");
  });

  test("an effect that outlives its token gets another: recorded, watched, and ended with the step", async () => {
    const { world } = await openWorld();
    await using _ = world;
    const step = await prepareStep(world, "completion-1");
    const jtis = async (): Promise<unknown[]> =>
      (await world.events()).filter(({ type }) => type === "token.issued").map(({ data }) => data["jti"]);
    const effect = scriptedEffect(async () => {
      world.clock.aheadMs = 250_000;
      while ((await jtis()).length < 2) await new Promise((resolve) => void setTimeout(resolve, 50));
    });
    assert.equal(await perform(world, step, effect), "answer 1");
    assert.equal((await jtis()).length, 2);
    assert.equal(await world.deps.identity.verify(step.token), undefined);
    assert.equal((await world.row()).token?.jti, (await jtis())[1]);
    // Asked for as the watch asked: had its token not been revoked, the same key would bring it again.
    const { permit, action } = step;
    const again = await mintStepToken(world.deps, {
      row: await world.row(),
      permit,
      action,
      audience: "somagent-slm",
      renewal: 1,
      signal: never,
    });
    assert.ok(!(await jtis()).slice(0, 2).includes(again.issued.jti));
  });

  test("the login revoked while the effect outlives its token: it ends as well", async () => {
    const { world, login } = await openWorld();
    await using _ = world;
    const step = await prepareStep(world, "completion-1");
    const effect = scriptedEffect(async ({ signal }) => {
      await world.deps.identity.revoke(login);
      world.clock.aheadMs = 290_000;
      await once(signal, "abort");
      throw signal.reason;
    });
    await assert.rejects(perform(world, step, effect), code("MODEL_TOKEN_REFUSED"));
    assert.equal((await world.types()).filter((type) => type === "token.issued").length, 1);
  });
});

test("an attempt some time after its token was issued asks first: revoked means no intent and no effect", async () => {
  const { world, login } = await openWorld();
  await using _ = world;
  const step = await prepareStep(world, "completion-1");
  await world.deps.identity.revoke(login);
  world.clock.aheadMs = 9_000;
  const effect = scriptedEffect();
  await assert.rejects(perform(world, step, effect), code("MODEL_TOKEN_REFUSED"));
  assert.equal(effect.calls.length, 0);
  assert.deepEqual(ofStep(await world.types()), []);
});

test("an attempt that cannot ask waits for the identity service, with no effect, and goes on when it is back", async () => {
  const { world } = await openWorld();
  await using _ = world;
  const step = await prepareStep(world, "completion-1");
  world.clock.aheadMs = 9_000;
  const away = await openActivityWorld();
  const effect = scriptedEffect();
  const { permit, action, sealed } = step;
  const without = { ...world.deps, identity: away.deps.identity };
  await assert.rejects(performEffect(without, permit, action, sealed, effect), code("IDENTITY_UNAVAILABLE"));
  assert.equal((await world.row()).blocked_on, "identity-service");
  assert.equal(effect.calls.length, 0);
  assert.equal(await perform(world, step, effect), "answer 1");
  assert.deepEqual(ofStep(await world.types()), [
    "dependency.unavailable",
    "dependency.recovered",
    "effect.intended",
    "effect.completed",
  ]);
  assert.equal((await world.row()).blocked_on, undefined);
  await away[Symbol.asyncDispose]();
});
