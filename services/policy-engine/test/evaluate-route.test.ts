import assert from "node:assert/strict";
import { test } from "node:test";
import { Decision } from "@soma/contracts/policy";
import { Value } from "typebox/value";
import { ask, goodRequest, operatorsComplete, packText, startEngine } from "./engine.ts";

const scored = `
  - { id: a, actions: [model.complete], terms: [alpha], effect: score, score: 0.1, severity: low, reason: speaks of alpha }
  - { id: b, actions: [model.complete], terms: [beta], effect: score, score: 0.2, severity: medium, reason: speaks of beta }
  - { id: c, actions: [model.complete], terms: [gamma], effect: score, score: 1, severity: critical, reason: speaks of gamma }
  - { id: d, actions: [model.complete], terms: [delta], effect: deny, score: 0, severity: high, reason: asks for delta }
`;
const files = { "t1.yaml": packText({ rules: scored, threshold: "0.3" }) };

test("an allowed request has a closed answer with every field of the contract", async (t) => {
  const { app } = await startEngine(t, files, { ttlSeconds: 90, now: () => new Date("2026-01-02T03:04:05.678Z") });
  const answer = await ask(app, {}, { "x-request-id": "req-7" });
  assert.equal(answer.statusCode, 200, answer.body);
  const decision = answer.json();
  assert.ok(Value.Check(Decision, decision), answer.body);
  const { decision_id, policy_version, ...rest } = decision;
  assert.match(decision_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
  assert.match(policy_version, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    allowed: true,
    score: 0,
    severity: "none",
    reasons: ["policy operators-complete: permits model.complete"],
    expires_at: "2026-01-02T03:05:35.678Z",
    obligations: [],
    session_id: "sess-1",
    request_id: "req-7",
  });
});

test("no pack for the tenant denies", async (t) => {
  const { app } = await startEngine(t, files);
  const decision = (await ask(app, { tenant: "stranger" })).json();
  assert.equal(decision.allowed, false);
  assert.equal(decision.severity, "critical");
  assert.equal(decision.score, 1);
  assert.deepEqual(decision.reasons, ["no policy pack is active for this tenant"]);
  assert.equal(decision.policy_version, "none");
  assert.ok(Value.Check(Decision, decision));
});

test("no decision id is given twice", async (t) => {
  const { app } = await startEngine(t, files);
  const ids = new Set<string>();
  for (let count = 0; count < 50; count += 1) ids.add((await ask(app)).json().decision_id);
  assert.equal(ids.size, 50);
});

const verdicts: readonly [
  title: string,
  changes: Record<string, unknown>,
  allowed: boolean,
  score: number,
  severity: string,
  reason: string,
][] = [
  [
    "a score below the threshold is allowed and explained",
    { prompt: "ALPHA!" },
    true,
    0.1,
    "low",
    "rule a: speaks of alpha",
  ],
  [
    "scores add up to the threshold",
    { prompt: "alpha beta" },
    false,
    0.3,
    "medium",
    "score 0.3 reaches the threshold of 0.3",
  ],
  ["a sum is clipped to 1", { prompt: "alpha gamma" }, false, 1, "critical", "rule c: speaks of gamma"],
  ["a deny rule denies whatever its score", { prompt: "delta" }, false, 0, "high", "rule d: asks for delta"],
  [
    "another role is not permitted",
    { role: "viewer" },
    false,
    0,
    "medium",
    "authorization: no policy permits model.complete on this model to the role viewer",
  ],
  [
    "another action is not permitted",
    { action: "session.cancel" },
    false,
    0,
    "medium",
    "authorization: no policy permits session.cancel on this session to the role operator",
  ],
  [
    "the default action can be named",
    { action: "model.complete", resource: "model:default" },
    true,
    0,
    "none",
    "policy operators-complete: permits model.complete",
  ],
  [
    "an action that the platform does not know",
    { action: "model.sing" },
    false,
    1,
    "high",
    "platform: the action is not one that the platform knows",
  ],
  [
    "a resource of another type",
    { resource: "session:sess-1" },
    false,
    1,
    "high",
    "platform: model.complete needs a resource written as model:<id>",
  ],
  [
    "a resource that is none",
    { resource: "default" },
    false,
    1,
    "high",
    "platform: model.complete needs a resource written as model:<id>",
  ],
  [
    "a prompt that folds into too much",
    { prompt: "\uFDFA".repeat(10_000) },
    false,
    1,
    "high",
    "platform: the prompt is too long once its characters are normalized",
  ],
];
for (const [title, changes, allowed, score, severity, reason] of verdicts) {
  test(`decision: ${title}`, async (t) => {
    const { app } = await startEngine(t, files);
    const answer = await ask(app, changes);
    assert.equal(answer.statusCode, 200, answer.body);
    const decision = answer.json();
    assert.deepEqual(
      { allowed: decision.allowed, score: decision.score, severity: decision.severity },
      { allowed, score, severity },
      answer.body,
    );
    assert.ok(decision.reasons.includes(reason), answer.body);
  });
}

test("obligations follow action and score: the lowest limit, each approver once, none on a denial", async (t) => {
  const obligations = `obligations:
  - { actions: [model.complete], max_output_tokens: 100 }
  - { actions: [model.complete], from_score: 0.1, max_output_tokens: 20, require_approval: approver }
  - { actions: [model.complete], from_score: 0.1, require_approval: approver }
  - { actions: [model.embed], max_output_tokens: 1 }
`;
  const { app } = await startEngine(t, { "t1.yaml": packText({ rules: scored, threshold: "0.3", tail: obligations }) });
  assert.deepEqual((await ask(app)).json().obligations, [{ kind: "max_output_tokens", limit: 100 }]);
  assert.deepEqual((await ask(app, { prompt: "alpha" })).json().obligations, [
    { kind: "max_output_tokens", limit: 20 },
    { kind: "require_approval", role: "approver" },
  ]);
  const denied = (await ask(app, { prompt: "gamma" })).json();
  assert.deepEqual([denied.allowed, denied.obligations], [false, []]);
});

const badBodies: readonly [title: string, changes: Record<string, unknown>, pointer: string][] = [
  ["no tenant", { tenant: undefined }, "/tenant"],
  ["no metadata", { metadata: undefined }, "/metadata"],
  ["a tenant with a slash", { tenant: "a/b" }, "/tenant"],
  ["a user with a quote", { user: 'u"' }, "/user"],
  ["a role outside the closed set", { role: "root" }, "/role"],
  ["a session id that looks like a workflow id", { session_id: "session-1" }, "/session_id"],
  ["an action that is no name", { action: "model complete" }, "/action"],
  ["a prompt that is too long", { prompt: "a".repeat(102_401) }, "/prompt"],
  ["metadata that is no object", { metadata: [] }, "/metadata"],
  ["an unknown field", { allowed: true }, "/allowed"],
];
for (const [title, changes, pointer] of badBodies) {
  test(`bad input: ${title} is answered with 400 that names the field`, async (t) => {
    const { app } = await startEngine(t, files);
    const answer = await ask(app, changes);
    assert.equal(answer.statusCode, 400, answer.body);
    assert.equal(answer.json().code, "VALIDATION_FAILED");
    assert.equal(answer.json().errors[0].pointer, pointer);
  });
}

test("the longest prompt in its widest JSON form is accepted", async (t) => {
  const { app } = await startEngine(t, files);
  const payload = JSON.stringify({ ...goodRequest, prompt: "\u0001".repeat(102_400) });
  assert.ok(payload.length > 600_000);
  const answer = await app.inject({
    method: "POST",
    url: "/v1/evaluate",
    headers: { "content-type": "application/json" },
    payload,
  });
  assert.equal(answer.statusCode, 200, answer.body);
});

test("metadata of eight levels is accepted, of nine refused", async (t) => {
  const { app } = await startEngine(t, files);
  const metadata = (levels: number): unknown => (levels === 0 ? 1 : { a: metadata(levels - 1) });
  assert.equal((await ask(app, { metadata: metadata(8) })).statusCode, 200);
  assert.equal((await ask(app, { metadata: metadata(9) })).statusCode, 400);
});

test("metrics count decisions by outcome and packs, and name no tenant", async (t) => {
  const { app } = await startEngine(t, files);
  await ask(app);
  await ask(app, { tenant: "stranger" });
  await ask(app, { role: "viewer" });
  const metrics = (await app.inject("/metrics")).body;
  assert.match(metrics, /soma_policy_decisions_total\{outcome="allowed",.*\} 1\n/);
  assert.match(metrics, /soma_policy_decisions_total\{outcome="denied",.*\} 2\n/);
  assert.match(metrics, /soma_policy_evaluation_duration_seconds_count\{.*\} 3\n/);
  assert.match(metrics, /soma_policy_packs_active\{.*\} 1\n/);
  assert.doesNotMatch(metrics, /stranger|"t1"/);
});

test("prompts and metadata are never in the logs or in an answer", async (t) => {
  const canary = "c4n4ry-7f3a";
  const { app, logged } = await startEngine(t, files);
  const answers = [
    await ask(app, { prompt: `alpha ${canary}`, metadata: { [canary]: canary } }),
    await ask(app, { prompt: `delta ${canary}`, resource: `model:${canary} ${canary}` }),
    await ask(app, { prompt: canary, action: "c.canary", metadata: { deep: { [canary]: 1 } } }),
    await ask(app, { prompt: canary, role: canary }),
    await app.inject({
      method: "POST",
      url: "/v1/evaluate",
      headers: { "content-type": "application/json" },
      payload: `{"prompt":"${canary}`,
    }),
  ];
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 400, 400],
  );
  for (const { body } of answers) assert.ok(!body.includes(canary), body);
  assert.ok(!logged().includes(canary));
  const lines = logged()
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  const decisions = lines.filter(({ msg }) => msg === "decision");
  assert.equal(decisions.length, 3);
  for (const line of decisions) {
    const fields = ["decision_id", "level", "msg", "outcome", "policy_version", "service", "tenant", "time"];
    assert.deepEqual(Object.keys(line).toSorted(), fields);
  }
});

test("a denial by content does not name who would have permitted it", async (t) => {
  const { app } = await startEngine(t, files);
  assert.deepEqual((await ask(app, { prompt: "delta" })).json().reasons, ["rule d: asks for delta"]);
});

test("two tenants are decided each by its own pack", async (t) => {
  const { app } = await startEngine(t, {
    "t1.yaml": packText(),
    "t2.yaml": packText({
      tenant: "t2",
      policies: operatorsComplete.replace('operator"', 'admin"'),
      examples: "\n  - { name: n, request: { user: u, role: admin, prompt: x }, expect: { allowed: true } }\n",
    }),
  });
  assert.equal((await ask(app, { tenant: "t1" })).json().allowed, true);
  assert.equal((await ask(app, { tenant: "t2" })).json().allowed, false);
  assert.equal((await ask(app, { tenant: "t2", role: "admin" })).json().allowed, true);
  assert.equal((await ask(app, { tenant: "t1", role: "admin" })).json().allowed, false);
});
