import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { GovernedAction } from "@soma/contracts/permit";
import type { DomainError } from "@soma/kit/domain-error";
import { json, startScriptedServer, type Answer } from "../../../../packages/kit/test/scripted-server.ts";
import { recordingOutage } from "../../src/activities/waiting.ts";
import { decide, type Proposal } from "../../src/permits/decide.ts";
import { actionDigest, checkPermit, effectKeyOf } from "../../src/permits/permit.ts";
import { openActivityWorld, type ActivityWorld } from "../harness/activity-world.ts";
import { startPolicyEngine } from "../harness/real-services.ts";
import { code } from "../ledger/refusal.ts";

const never = new AbortController().signal;
const governed: GovernedAction = {
  action: "model.complete",
  resource: "model:default",
  arguments: { prompt_digest: `sha256:${"a".repeat(64)}` },
};
const proposal: Proposal = {
  step: "completion-1",
  round: 1,
  action: "model.complete",
  resource: "model:default",
  governed,
  prompt: "kick off a demo",
  metadata: {},
};
const destructive = "Please drop every table of the production database.";

let engine: Awaited<ReturnType<typeof startPolicyEngine>>;
before(async () => {
  engine = await startPolicyEngine();
});
after(() => engine[Symbol.asyncDispose]());

/** One engine answers them all, and a step of one session is one question to it. */
const ownSession = () => ({ session_id: `sess-${randomUUID()}` });

const ask = async (world: ActivityWorld, changes: Partial<Proposal> = {}) =>
  decide(world.deps, await world.row(), { ...proposal, ...changes }, never);

test("what the real engine allows is recorded, and then permitted for this action of this step alone", async () => {
  await using world = await openActivityWorld({ policy: engine.url, session: ownSession() });
  const outcome = await ask(world);
  assert.ok("permit" in outcome);
  const { permit, action, decision } = outcome;
  assert.deepEqual(action, governed);
  assert.equal(decision.allowed, true);
  assert.match(decision.policy_version, /^sha256:[0-9a-f]{64}$/);
  const row = await world.row();
  assert.equal(permit.effect_key, effectKeyOf({ ...row, step: "completion-1" }));
  checkPermit(world.deps.keys.permit, permit, governed, world.deps.now());
  assert.throws(
    () => checkPermit(world.deps.keys.permit, permit, { ...governed, resource: "model:x" }, world.deps.now()),
    code("PERMIT_INVALID"),
  );
  assert.deepEqual(await world.types(), ["session.created", "policy.decided"]);
  const [, event] = await world.events();
  assert.equal(event?.data["allowed"], true);
  assert.equal(event.data["decision_id"], permit.decision_id);
  assert.equal(event.data["action_digest"], actionDigest(governed));
  assert.equal(event.data["expires_at"], permit.expires_at);
  assert.equal(row.status, "running");
});

test("P12: what the real engine denies is recorded with its reasons, and there is no permit", async () => {
  await using world = await openActivityWorld({ policy: engine.url, session: ownSession() });
  const outcome = await ask(world, { prompt: destructive });
  assert.ok("denied" in outcome && !("permit" in outcome));
  assert.equal(outcome.denied.code, "POLICY_DENIED");
  assert.equal(outcome.decision.severity, "critical");
  const [, event] = await world.events();
  assert.equal(event?.type, "policy.decided");
  assert.equal(event.data["allowed"], false);
  assert.deepEqual(event.data["reasons"], outcome.decision.reasons);
  // P8: the prompt itself stands in no event.
  assert.ok(!JSON.stringify(await world.events()).includes("production database."));
});

test("P2: what a user writes into metadata decides nothing", async () => {
  await using world = await openActivityWorld({ policy: engine.url, session: ownSession() });
  const metadata = { role: "admin", allowed: true, prompt: "hello", tenant: "tenant-acme", action: "session.read" };
  assert.ok("denied" in (await ask(world, { prompt: destructive, metadata })));
});

test("P2: the engine is told the platform's fields as they are, and the user's under one key", async () => {
  await using scripted = await startScriptedServer(answer());
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  const metadata = { role: "admin", tenant: "tenant-acme", prompt: "hello", session_id: "sess-2" };
  await ask(world, { metadata });
  assert.deepEqual(JSON.parse(scripted.seen[0]?.body ?? ""), {
    session_id: "sess-1",
    tenant: "tenant-demo",
    user: "user-demo",
    role: "operator",
    prompt: "kick off a demo",
    action: "model.complete",
    resource: "model:default",
    metadata,
  });
});

/** An answer of a foreign engine, for what the real one does not do: lying, changing its mind, asking for more. */
function answer(changes: Readonly<Record<string, unknown>> = {}): Answer {
  return json(200, { allowed: true, score: 0, severity: "none", reasons: [], ...changes });
}

test("asked twice for one round: the engine is asked once, the decision and its event are one", async () => {
  // A second question would come after the script's end and fail the test.
  await using scripted = await startScriptedServer(answer({ decision_id: "first" }));
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  const first = await ask(world);
  const second = await ask(world);
  assert.deepEqual(second, first);
  assert.deepEqual(await world.types(), ["session.created", "policy.decided"]);
});

test("an engine that changes its mind between two attempts at once: what was recorded first is the decision of both", async () => {
  const bothAsked = Promise.withResolvers<void>();
  const willing = answer({ decision_id: "first" });
  const unwilling = answer({ decision_id: "second", allowed: false });
  await using scripted = await startScriptedServer(
    async (response, request) => {
      await bothAsked.promise;
      await willing(response, request);
    },
    async (response, request) => {
      bothAsked.resolve();
      await unwilling(response, request);
    },
  );
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  const outcomes = await Promise.all([ask(world), ask(world)]);
  assert.deepEqual(outcomes[1], outcomes[0]);
  assert.deepEqual(await world.types(), ["session.created", "policy.decided"]);
  const [, event] = await world.events();
  assert.equal(event?.data["decision_id"], outcomes[0].decision.decision_id);
  assert.equal(event.data["allowed"], "permit" in outcomes[0]);
  // And so it stays, whatever the engine would say now.
  assert.deepEqual(await ask(world), outcomes[0]);
});

test("a denial that was recorded is not talked into a permit by another try", async () => {
  await using scripted = await startScriptedServer(answer({ allowed: false }), answer());
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  assert.ok("denied" in (await ask(world)));
  assert.ok("denied" in (await ask(world)));
  // Another round is another decision, with an event of its own.
  assert.ok("permit" in (await ask(world, { round: 2 })));
  assert.deepEqual(await world.types(), ["session.created", "policy.decided", "policy.decided"]);
});

test("a recorded decision permits the action that it was made on, and no other", async () => {
  await using scripted = await startScriptedServer(answer());
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  await ask(world);
  const other: GovernedAction = { ...governed, resource: "model:expensive" };
  const outcome = await ask(world, { governed: other, resource: other.resource });
  assert.ok("permit" in outcome);
  assert.throws(
    () => checkPermit(world.deps.keys.permit, outcome.permit, outcome.action, world.deps.now()),
    code("PERMIT_INVALID"),
  );
});

test("an obligation that can be met binds the permit: the least of several", async () => {
  const obligations = [40, 10, 20].map((limit) => ({ kind: "max_output_tokens", limit }));
  await using scripted = await startScriptedServer(answer({ obligations }));
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  const outcome = await ask(world);
  assert.ok("permit" in outcome);
  assert.equal(outcome.permit.max_output_tokens, 10);
});

test("an approval that policy asks for is no permit before it is given, and approvals by several roles never are", async () => {
  const limit = { kind: "max_output_tokens", limit: 10 };
  const approver = { kind: "require_approval", role: "approver" };
  await using scripted = await startScriptedServer(answer({ obligations: [limit, approver] }));
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  assert.ok("approvalNeeded" in (await ask(world)));
  assert.deepEqual(await world.types(), ["session.created", "policy.decided"]);

  const admin = { kind: "require_approval", role: "admin" };
  await using several = await startScriptedServer(answer({ obligations: [approver, admin] }));
  await using other = await openActivityWorld({ policy: new URL("/v1/evaluate", several.url) });
  const outcome = await ask(other);
  assert.ok("denied" in outcome);
  assert.equal(outcome.denied.code, "OBLIGATION_UNMET");
});

test("no decision, no permit and no event of one, whatever the engine did instead", async () => {
  const faults: readonly [answer: Answer, expected: DomainError["code"]][] = [
    [json(500, {}), "POLICY_UNAVAILABLE"],
    [json(200, { score: 0, severity: "none", reasons: [] }), "POLICY_BAD_RESPONSE"],
    [answer({ allowed: "yes" }), "POLICY_BAD_RESPONSE"],
    [json(307, {}, { location: "/" }), "POLICY_BAD_RESPONSE"],
  ];
  await using scripted = await startScriptedServer(...faults.map(([each]) => each));
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  for (const [, expected] of faults) await assert.rejects(ask(world), code(expected));
  assert.deepEqual(await world.types(), ["session.created"]);
});

test("a decision that cannot be recorded is none", async () => {
  await using scripted = await startScriptedServer(answer());
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  const row = await world.row();
  await world.deps.ledger.close();
  await assert.rejects(decide(world.deps, row, proposal, never), code("AUDIT_UNAVAILABLE"));
  // Nor is one whose ledger goes away while the engine thinks.
  await using other = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  const rowOfOther = await other.row();
  // What is known of the tenant is known by then.
  await other.deps.snapshots.find(rowOfOther.tenant);
  const deciding = decide(other.deps, rowOfOther, proposal, never);
  await other.deps.ledger.close();
  await assert.rejects(deciding, code("AUDIT_UNAVAILABLE"));
});

test("an outage of the engine is recorded once, and its end with the decision, for each outage anew", async () => {
  const down = json(503, {});
  await using scripted = await startScriptedServer(down, down, answer({ allowed: "?" }), answer(), down, answer());
  await using world = await openActivityWorld({ policy: new URL("/v1/evaluate", scripted.url) });
  const attempt = async (round: number) => {
    const row = await world.row();
    return recordingOutage(world.deps, row, "completion-1", () =>
      decide(world.deps, row, { ...proposal, round }, never),
    );
  };
  for (const expected of ["POLICY_UNAVAILABLE", "POLICY_UNAVAILABLE", "POLICY_BAD_RESPONSE"] as const) {
    await assert.rejects(attempt(1), code(expected));
    const { blocked_on, blocked_code } = await world.row();
    assert.deepEqual([blocked_on, blocked_code], ["policy-engine", "POLICY_UNAVAILABLE"]);
  }
  assert.ok("permit" in (await attempt(1)));
  assert.equal((await world.row()).blocked_on, undefined);
  await assert.rejects(attempt(2), code("POLICY_UNAVAILABLE"));
  assert.ok("permit" in (await attempt(2)));
  const outage = ["dependency.unavailable", "dependency.recovered", "policy.decided"];
  assert.deepEqual(await world.types(), ["session.created", ...outage, ...outage]);
});
