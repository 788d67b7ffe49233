import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { apiOf, demoSession } from "../harness/api.ts";
import { readStream } from "../harness/event-stream.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const stack = stackUnderTest();
const api = apiOf(stack.urls.orchestrator);

test("cancel reaches the running model call, is recorded, and the session, Temporal and the ledger agree", async () => {
  const session = demoSession("Write a very long story about a lighthouse keeper, with many chapters.");
  const id = session.metadata.session_id;
  const { workflow_id } = await api.start(session);
  for await (const { event } of readStream(`${api.url}/v1/sessions/${id}/events`)) if (event === "delta") break;
  const begin = performance.now();
  const answer = await api.request("POST", `/v1/sessions/${id}/actions/cancel`);
  assert.equal(answer.status, 202, answer.text);
  const view = await api.ended(id);
  const tookMs = performance.now() - begin;
  assert.equal(view.status, "canceled");
  assert.ok(tookMs < 6_000, `it took ${String(tookMs)} ms`);
  const types = (await api.events(id)).map(({ type }) => type);
  assert.deepEqual(types.slice(-3), ["session.cancel_requested", "effect.failed", "session.canceled"]);
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const { status } = await new Client({ connection }).workflow.getHandle(workflow_id).describe();
  assert.equal(status.name, "CANCELLED");
  await connection.close();
});

test("a session that has ended cannot be canceled", async () => {
  const session = demoSession("Say stop.");
  await api.start(session);
  await api.ended(session.metadata.session_id);
  const answer = await api.request("POST", `/v1/sessions/${session.metadata.session_id}/actions/cancel`);
  assert.equal(answer.status, 409);
  assert.equal(answer.body.code, "ACTION_NOT_ALLOWED");
});
