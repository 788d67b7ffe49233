import assert from "node:assert/strict";
import { test } from "node:test";
import type { EvaluateRequest } from "@soma/contracts/policy";
import { DomainError } from "@soma/kit/domain-error";
import {
  bytes,
  cut,
  hang,
  json,
  stall,
  startScriptedServer,
  type Answer,
} from "../../../../packages/kit/test/scripted-server.ts";
import { createPolicyClient } from "../../src/adapters/policy-client.ts";
import { sessionId, tenantId, userId } from "../harness/ids.ts";
import { code } from "../ledger/refusal.ts";

const request: EvaluateRequest = {
  session_id: sessionId("sess-1"),
  tenant: tenantId("tenant-a"),
  user: userId("user-1"),
  prompt: "hello",
  role: "operator",
  action: "model.complete",
  resource: "model:default",
  metadata: { note: "mine" },
};
const requestId = "request-1";
const idempotencyKey = `sha256:${"a".repeat(64)}/1`;
const ids = { requestId, idempotencyKey };
const never = new AbortController().signal;
/** The four fields that any engine gives. */
const allowed = { allowed: true, score: 0.25, severity: "low", reasons: ["fine"] };

function clientOf(url: URL, path = "/v1/evaluate") {
  const client = createPolicyClient(new URL(path, url));
  return { ...client, [Symbol.asyncDispose]: () => client.close() };
}

test("the four fields of any engine are a decision; what it leaves out is filled in with what is safe", async () => {
  await using server = await startScriptedServer(json(200, allowed));
  await using client = clientOf(server.url);
  const begin = Date.now();
  const { expiresAt, ...answer } = await client.evaluate(request, ids, never);
  assert.deepEqual(answer, {
    allowed: true,
    score: 0.25,
    severity: "low",
    reasons: ["fine"],
    decisionId: requestId,
    policyVersion: "unversioned",
    obligations: [],
  });
  const validMs = Date.parse(expiresAt) - begin;
  assert.ok(validMs > 59_000 && validMs < 62_000, `${String(validMs)} ms`);
  const [seen] = server.seen;
  assert.equal(seen?.method, "POST");
  assert.equal(seen.path, "/v1/evaluate");
  assert.equal(seen.headers["x-request-id"], requestId);
  assert.equal(seen.headers["idempotency-key"], idempotencyKey);
  assert.deepEqual(JSON.parse(seen.body), request);
});

test("all that our engine says is taken over", async () => {
  const full = {
    ...allowed,
    allowed: false,
    decision_id: "decision-1",
    policy_version: "sha256:abc",
    expires_at: "2026-03-01T13:00:00+01:00",
    obligations: [{ kind: "max_output_tokens", limit: 5 }],
    session_id: "sess-1",
    request_id: requestId,
    more: "is not read",
  };
  await using server = await startScriptedServer(json(200, full, { "x-request-id": requestId }));
  await using client = clientOf(server.url);
  assert.deepEqual(await client.evaluate(request, ids, never), {
    allowed: false,
    score: 0.25,
    severity: "low",
    reasons: ["fine"],
    decisionId: "decision-1",
    policyVersion: "sha256:abc",
    expiresAt: "2026-03-01T12:00:00.000Z",
    obligations: [{ kind: "max_output_tokens", limit: 5 }],
  });
});

const without = (field: keyof typeof allowed): Record<string, unknown> =>
  Object.fromEntries(Object.entries(allowed).filter(([name]) => name !== field));
const changed = (changes: Record<string, unknown>): Answer => json(200, { ...allowed, ...changes });

/** What is no closed answer of the contract is a denial. */
const bad: readonly [title: string, answer: Answer][] = [
  ["P1: no allowed", json(200, without("allowed"))],
  ["P1: allowed as text", changed({ allowed: "true" })],
  ["P1: allowed as 1", changed({ allowed: 1 })],
  ["P1: allowed as null", changed({ allowed: null })],
  ["P1: allowed as a list", changed({ allowed: [true] })],
  ["P1: allowed under another name", json(200, { ...without("allowed"), Allowed: true, allow: true })],
  ["P1: allowed one level down", json(200, { result: allowed })],
  ["no score", json(200, without("score"))],
  ["a score over 1", changed({ score: 1.01 })],
  ["a score under 0", changed({ score: -0.01 })],
  ["a score as text", changed({ score: "0" })],
  ["no severity", json(200, without("severity"))],
  ["an unknown severity", changed({ severity: "meh" })],
  ["no reasons", json(200, without("reasons"))],
  ["reasons that are one text", changed({ reasons: "fine" })],
  ["too many reasons", changed({ reasons: Array.from({ length: 65 }, () => "x") })],
  ["a reason that is too long", changed({ reasons: ["x".repeat(513)] })],
  ["an unknown obligation", changed({ obligations: [{ kind: "pray" }] })],
  ["an obligation without its limit", changed({ obligations: [{ kind: "max_output_tokens" }] })],
  ["obligations that are no list", changed({ obligations: {} })],
  ["an empty decision id", changed({ decision_id: "" })],
  ["a decision id that is no valid Unicode", changed({ decision_id: "\ud800" })],
  ["a policy version that is no valid Unicode", changed({ policy_version: "v\udc00" })],
  ["an expiry that is no time", changed({ expires_at: "soon" })],
  ["an expiry that is a number", changed({ expires_at: 1_772_366_400 })],
  ["another request's id in its body", changed({ request_id: "request-2" })],
  ["another request's id in its header", json(200, allowed, { "x-request-id": "request-2" })],
  ["another session's id", changed({ session_id: "sess-2" })],
  ["a list", json(200, [allowed])],
  ["null", json(200, null)],
  ["a text", json(200, "allowed")],
  ["true", json(200, true)],
  ["no JSON", bytes(200, "allowed")],
  ["half a JSON", bytes(200, JSON.stringify(allowed).slice(0, -1))],
  ["an empty body", bytes(200, "")],
  ["status 201", json(201, allowed)],
  ["status 202", json(202, allowed)],
  ["status 204", bytes(204, "")],
  ["status 400", json(400, allowed)],
  ["status 403", json(403, allowed)],
  ["status 404", json(404, allowed)],
  ["a redirect to a willing engine", json(307, allowed, { location: "/elsewhere" })],
  ["a redirect without a place", json(302, allowed)],
  ["over 1 MiB", changed({ more: "x".repeat(1_048_577) })],
];

for (const [title, answer] of bad) {
  test(`${title} is POLICY_BAD_RESPONSE, and nothing else is asked`, async () => {
    await using server = await startScriptedServer(answer);
    await using client = clientOf(server.url);
    await assert.rejects(client.evaluate(request, ids, never), code("POLICY_BAD_RESPONSE"));
    assert.equal(server.seen.length, 1);
  });
}

const away: readonly [title: string, answer: Answer][] = [
  ["status 500", json(500, allowed)],
  ["status 503", json(503, allowed)],
  ["a connection that is cut", cut],
  ["an answer that never comes", hang],
  ["an answer that stops in its middle", stall],
];

for (const [title, answer] of away) {
  test(`${title} is POLICY_UNAVAILABLE within 1.2 s`, async () => {
    await using server = await startScriptedServer(answer);
    await using client = clientOf(server.url);
    const begin = performance.now();
    await assert.rejects(client.evaluate(request, ids, never), code("POLICY_UNAVAILABLE"));
    assert.ok(performance.now() - begin < 1_200);
  });
}

test("nobody there is POLICY_UNAVAILABLE", async () => {
  await using client = clientOf(new URL("http://127.0.0.1:1"));
  await assert.rejects(client.evaluate(request, ids, never), code("POLICY_UNAVAILABLE"));
});

test("the refusal shows nothing of what the engine said", async () => {
  await using server = await startScriptedServer(
    changed({ allowed: "canary", reasons: ["canary"] }),
    bytes(200, "canary"),
  );
  await using client = clientOf(server.url);
  for (let round = 0; round < 2; round += 1) {
    await assert.rejects(client.evaluate(request, ids, never), (error) => {
      assert.ok(error instanceof DomainError);
      assert.ok(!JSON.stringify([error.message, error.fields, String(error.cause)]).includes("canary"));
      return true;
    });
  }
});

test("reasons that are no valid Unicode are made so, or the ledger could not hold them", async () => {
  await using server = await startScriptedServer(changed({ reasons: ["half \ud83d a pair"] }));
  await using client = clientOf(server.url);
  const { reasons } = await client.evaluate(request, ids, never);
  assert.deepEqual(reasons, ["half \ufffd a pair"]);
});

test("an abort ends the question with the caller's reason", async () => {
  await using server = await startScriptedServer(hang);
  await using client = clientOf(server.url);
  const controller = new AbortController();
  const reason = new Error("canceled");
  const answer = client.evaluate(request, ids, controller.signal);
  await server.arrived;
  controller.abort(reason);
  await assert.rejects(answer, (error) => error === reason);
  await server.clientGone;
});

test("health is asked beside the URL's own path, and only a server's error is an outage", async () => {
  await using server = await startScriptedServer(json(200, {}), json(404, {}), json(503, {}));
  await using client = clientOf(server.url, "/base/v1/evaluate");
  await client.checkHealth(never);
  await client.checkHealth(never);
  await assert.rejects(client.checkHealth(never), /503/);
  assert.equal(server.seen[0]?.path, "/base/health");
});

test("however long an engine says that its answer holds, it is five minutes at most", async () => {
  await using server = await startScriptedServer(json(200, { ...allowed, expires_at: "9999-12-31T00:00:00Z" }));
  await using client = clientOf(server.url);
  const { expiresAt } = await client.evaluate(request, ids, never);
  assert.ok(Date.parse(expiresAt) <= Date.now() + 300_000, expiresAt);
});
