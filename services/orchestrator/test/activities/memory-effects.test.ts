import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { GovernedAction } from "@soma/contracts/permit";
import { memoryAudience } from "@soma/contracts/wire-names";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { mintStepToken } from "../../src/activities/mint-step-token.ts";
import { performEffect } from "../../src/activities/perform-effect.ts";
import { createSkipMemory } from "../../src/activities/skip-memory.ts";
import { newContent } from "../../src/ledger/content.ts";
import { decide } from "../../src/permits/decide.ts";
import { signPermit } from "../../src/permits/permit.ts";
import { sealToken } from "../../src/permits/token-seal.ts";
import { openActivityWorld, type ActivityWorld } from "../harness/activity-world.ts";
import { startIdentityService, startPolicyEngine, type IdentityService } from "../harness/real-services.ts";
import { code } from "../ledger/refusal.ts";

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

/** What the workflow's first activities hand to `recall-memory`; with the obligation to wait, if policy gave one. */
async function prepare(world: ActivityWorld, choice: "go_on" | "wait") {
  const { deps } = world;
  const row = await world.row();
  const governed: GovernedAction = {
    action: "memory.recall",
    resource: "memory:user",
    arguments: { prompt_digest: row.prompt_digest },
  };
  const { action, resource } = governed;
  const proposal = { step: "recall-1", round: 1, action, resource, governed, prompt: "hello", metadata: {} };
  const never = new AbortController().signal;
  const outcome = await decide(deps, row, proposal, never);
  assert.ok("permit" in outcome, JSON.stringify(outcome));
  const { mac: _mac, ...fields } = outcome.permit;
  const permit =
    choice === "wait" ? signPermit(deps.keys.permit, { ...fields, memory_unavailable: "wait" }) : outcome.permit;
  const request = { row, permit, action: governed, audience: memoryAudience, renewal: 0, signal: never };
  const { minted, issued } = await mintStepToken(deps, request);
  const { jti, expires_at, scopes } = issued;
  const sealed = { jti, expires_at, scopes, sealed: sealToken(deps.keys.seal, minted.token, permit.effect_key) };
  return { permit, governed, sealed };
}

function recall(world: ActivityWorld, step: Awaited<ReturnType<typeof prepare>>, during: () => void = () => undefined) {
  return performEffect<string>(world.deps, step.permit, step.governed, step.sealed, {
    outcome: "memory.recalled",
    target: "memory-gateway",
    recall: () => Promise.resolve("recorded"),
    perform({ row, permit }) {
      during();
      const content = newContent(row, "application/json", '{"passages":[]}');
      const data = {
        step: permit.step,
        effect_key: permit.effect_key,
        passages: 0,
        result_digest: content.digest,
      };
      return Promise.resolve({ result: "done", type: "memory.recalled", data, contents: [content] });
    },
  });
}

const away = (): never => {
  throw new DomainError("MEMORY_UNAVAILABLE", "away");
};
const ofMemory = (types: readonly string[]): string[] =>
  types.filter((type) => /^(effect|memory|dependency)\./.test(type));

test("a step's token for memory carries the right to have texts embedded beside its own, and no other", async () => {
  await using world = await openActivityWorld({ policy: policy.url, identity });
  const { sealed } = await prepare(world, "go_on");
  assert.deepEqual(sealed.scopes.toSorted(), ["memory.recall", "model.embed"]);
});

test("recalling has an outcome event of its own, and is done once", async () => {
  await using world = await openActivityWorld({ policy: policy.url, identity });
  const step = await prepare(world, "go_on");
  assert.equal(await recall(world, step), "done");
  assert.deepEqual(ofMemory(await world.types()), ["effect.intended", "memory.recalled"]);
  const again = await recall(world, step, () => assert.fail("it was done before"));
  assert.equal(again, "recorded");
  const row = await world.row();
  const text = await world.deps.ledger.readContent({ ...row, digest: sha256('{"passages":[]}') });
  assert.equal(Buffer.from(text ?? []).toString(), '{"passages":[]}');
});

test("memory that is away is no outage where the session goes on; where it waits, it is one until it is back", async () => {
  await using world = await openActivityWorld({ policy: policy.url, identity });
  const step = await prepare(world, "go_on");
  await assert.rejects(recall(world, step, away), code("MEMORY_UNAVAILABLE"));
  assert.equal((await world.row()).blocked_on, undefined);

  await using patient = await openActivityWorld({ policy: policy.url, identity });
  const waiting = await prepare(patient, "wait");
  for (let attempt = 0; attempt < 3; attempt += 1)
    await assert.rejects(recall(patient, waiting, away), code("MEMORY_UNAVAILABLE"));
  assert.equal((await patient.row()).blocked_on, "memory-gateway");
  assert.equal(await recall(patient, waiting), "done");
  assert.equal((await patient.row()).blocked_on, undefined);
  assert.deepEqual(ofMemory(await patient.types()), [
    "effect.intended",
    "dependency.unavailable",
    "dependency.recovered",
    "memory.recalled",
  ]);
});

test("the choice to wait stands in the signed permit: taken away, the permit is void", async () => {
  await using world = await openActivityWorld({ policy: policy.url, identity });
  const step = await prepare(world, "wait");
  const { memory_unavailable: _choice, ...permit } = step.permit;
  await assert.rejects(recall(world, { ...step, permit }), code("PERMIT_INVALID"));
});

test("what is skipped is recorded once, with the outcome of a step that was begun and of no other", async () => {
  await using world = await openActivityWorld({ policy: policy.url, identity });
  const step = await prepare(world, "go_on");
  await assert.rejects(recall(world, step, away), code("MEMORY_UNAVAILABLE"));
  const { tenant, session_id } = await world.row();
  const skip = createSkipMemory(world.deps);
  for (let attempt = 0; attempt < 2; attempt += 1)
    await skip({ tenant, session_id, step: "recall-1", code: "MEMORY_UNAVAILABLE" });
  await skip({ tenant, session_id, step: "remember-1", code: "IDENTITY_DENIED" });
  assert.deepEqual(ofMemory(await world.types()), [
    "effect.intended",
    "effect.failed",
    "memory.skipped",
    "memory.skipped",
  ]);
});
