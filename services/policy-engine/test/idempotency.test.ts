import assert from "node:assert/strict";
import { test } from "node:test";
import { isSessionId } from "@soma/contracts/ids";
import { DecisionMemory, decisionIdOf } from "../src/decision-memory.ts";
import { ask, operatorsComplete, packText, startEngine, until } from "./engine.ts";

const key = { "idempotency-key": `sha256:${"a".repeat(64)}/1` };

/** An engine with one pack and a clock that the test moves. */
async function start(t: Parameters<typeof startEngine>[0]) {
  const clock = { now: new Date("2030-01-01T00:00:00.000Z") };
  const engine = await startEngine(t, { "t1.yaml": packText() }, { now: () => clock.now });
  return { ...engine, later: (seconds: number) => (clock.now = new Date(clock.now.getTime() + seconds * 1_000)) };
}

test("the same key and request: the same decision, word for word, until it expires", async (t) => {
  const { app, later } = await start(t);
  const first = (await ask(app, {}, { ...key, "x-request-id": "one" })).json();
  later(59);
  const again = (await ask(app, {}, { ...key, "x-request-id": "two" })).json();
  assert.deepEqual(again, { ...first, request_id: "two" });
  later(1);
  const after = (await ask(app, {}, key)).json();
  assert.equal(after.expires_at, "2030-01-01T00:02:00.000Z");
  assert.equal(after.decision_id, first.decision_id, "the same policy decides the same question");
});

test("a denial is remembered as one", async (t) => {
  const { app } = await start(t);
  const denied = { role: "viewer" };
  const [first, again] = [(await ask(app, denied, key)).json(), (await ask(app, denied, key)).json()];
  assert.equal(first.allowed, false);
  assert.deepEqual({ ...again, request_id: "" }, { ...first, request_id: "" });
});

test("another request under the same key is a 422, whatever differs", async (t) => {
  const { app } = await start(t);
  await ask(app, {}, key);
  for (const change of [
    { prompt: "hello " },
    { user: "u2" },
    { session_id: "sess-2" },
    { metadata: { a: 1 } },
    { role: "viewer" },
    { action: "model.embed" },
  ]) {
    const answer = await ask(app, change, key);
    assert.equal(answer.statusCode, 422, JSON.stringify(change));
    assert.equal(answer.json().code, "IDEMPOTENCY_KEY_REUSED");
  }
  // Members in another order are the same request.
  const metadata = { b: 2, a: 1 };
  const other = { "idempotency-key": "k" };
  await ask(app, { metadata }, other);
  assert.equal((await ask(app, { metadata: { a: 1, b: 2 } }, other)).statusCode, 200);
});

test("a key is a tenant's own, and without one each decision is another", async (t) => {
  const engine = await startEngine(t, { "t1.yaml": packText(), "t2.yaml": packText({ tenant: "t2" }) });
  const ids = [
    (await ask(engine.app, {}, key)).json(),
    (await ask(engine.app, { tenant: "t2" }, key)).json(),
    (await ask(engine.app)).json(),
    (await ask(engine.app)).json(),
  ].map(({ decision_id }) => decision_id);
  assert.equal(new Set(ids).size, 4);
});

test("a changed pack decides anew: no decision of an older version is given", async (t) => {
  const engine = await start(t);
  const { app } = engine;
  const first = (await ask(app, {}, key)).json();
  engine.write(
    "t1.yaml",
    packText({
      policies: operatorsComplete.replace('Role::"operator"', 'Role::"approver"'),
      examples:
        "\n  - name: smoke\n    request: { user: u, role: operator, prompt: hello }\n    expect: { allowed: false }\n",
    }),
  );
  await until("the pack is taken over", async () => {
    const { policy_version } = (await ask(app)).json();
    return policy_version !== first.policy_version;
  });
  const after = (await ask(app, {}, key)).json();
  assert.notEqual(after.policy_version, first.policy_version);
  assert.notEqual(after.decision_id, first.decision_id);
  assert.deepEqual([first.allowed, after.allowed], [true, false]);
});

test("after a restart the same request under the same policy has the same decision id", async (t) => {
  const [first, second] = [await start(t), await start(t)];
  const ids = [(await ask(first.app, {}, key)).json(), (await ask(second.app, {}, key)).json()];
  assert.equal(ids[0].decision_id, ids[1].decision_id);
  assert.match(ids[0].decision_id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

for (const bad of ["", "a b", "x".repeat(256)]) {
  test(`${JSON.stringify(bad.slice(0, 5))} of ${String(bad.length)} characters is no key`, async (t) => {
    const { app } = await start(t);
    const answer = await ask(app, {}, { "idempotency-key": bad });
    assert.equal(answer.statusCode, 400);
    assert.equal(answer.json().errors[0].pointer, "/headers/idempotency-key");
  });
}

const idOf = (tenant: string, name: string): string => decisionIdOf({ tenant, key: name, requestDigest: "d" }, "v");
const sessionId = "sess-1";
assert.ok(isSessionId(sessionId));
const decision = {
  allowed: true,
  score: 0,
  severity: "none" as const,
  reasons: ["x".repeat(100)],
  decision_id: "d",
  policy_version: "v",
  expires_at: "2030-01-01T00:01:00.000Z",
  obligations: [],
  session_id: sessionId,
  request_id: "r",
};
const nowMs = Date.parse("2030-01-01T00:00:00.000Z");
const question = (number: number) => ({ tenant: "t", key: String(number), requestDigest: "d" });

test("memory is bounded by number and by bytes: the oldest goes first", () => {
  const few = new DecisionMemory({ decisions: 3, bytes: 1_000_000 });
  for (const number of [1, 2, 3, 1, 4]) few.remember(question(number), decision);
  assert.deepEqual(
    [1, 2, 3, 4].map((number) => few.find(question(number), "v", nowMs) !== undefined),
    [true, false, true, true],
  );
  const small = new DecisionMemory({ decisions: 1_000, bytes: 2_000 });
  for (let number = 0; number < 1_000; number += 1) small.remember(question(number), decision);
  assert.ok(small.size > 1 && small.size < 10, String(small.size));
  assert.notEqual(small.find(question(999), "v", nowMs), undefined);
});

test("borders between the parts of an id cannot be moved", () => {
  assert.notEqual(idOf("a", "bc"), idOf("ab", "c"));
  assert.equal(idOf("a", "b"), idOf("a", "b"));
});
