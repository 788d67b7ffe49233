import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openSession } from "../../orchestrator/test/harness/sessions.ts";
import { bodyOf } from "./body-of.ts";
import { openDoor, type Door } from "./real-gateway.ts";

let door: Door;
before(async () => {
  door = await openDoor();
  await openSession(door.orchestrator.ledger);
});
after(() => door[Symbol.asyncDispose]());

test("a request passes through the gateway to an orchestrator that serves nobody else", async () => {
  const answer = await door.request("/v1/sessions/sess-1", { headers: { "x-request-id": "req-7" } });
  const view = await bodyOf(answer);
  assert.equal(answer.status, 200, JSON.stringify(view));
  assert.equal(view["session_id"], "sess-1");
  assert.equal(answer.headers.get("x-request-id"), "req-7");
  const direct = await fetch(`${door.orchestrator.url}/v1/sessions/sess-1`, {
    headers: { authorization: `Bearer ${door.token}` },
  });
  assert.equal(direct.status, 403);
  assert.equal((await bodyOf(direct))["code"], "GATEWAY_REQUIRED");
});

test("a body passes as it came: the orchestrator judges what it says, and it is signed", async () => {
  const answer = await door.request("/v1/sessions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: ' {"prompt":"h\u00e9llo" , "metadata":{"session_id":"sess-2"}} ',
  });
  const problem = await bodyOf(answer);
  assert.equal(answer.status, 503, JSON.stringify(problem));
  assert.equal(problem["code"], "TEMPORAL_UNAVAILABLE");
});

test("without a token it is 401, and nothing reaches the orchestrator", async () => {
  const answer = await fetch(`${door.gateway.url}/v1/sessions/sess-1`);
  assert.equal(answer.status, 401);
  assert.equal((await bodyOf(answer))["code"], "UNAUTHENTICATED");
});
