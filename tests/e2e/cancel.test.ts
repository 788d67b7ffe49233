import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import { apiOf, demoSession } from "../harness/api.ts";
import { readStream } from "../harness/event-stream.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

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

test("cancel while the model fails: the session ends as canceled, in Temporal and in the ledger", async (context) => {
  const model = await startFaultProxy(context, "http://127.0.0.1:1");
  // Sooner than a cancellation reaches the attempt: that one ends as failed, and none follows it.
  model.fault = { kind: "slow", ms: 1_500 };
  const { api: own } = await startOrchestrator(context, { env: { SLM_BASE_URL: model.url } });
  const session = demoSession("Say one word.");
  const id = session.metadata.session_id;
  await until("it starts", async () =>
    (await own.request("POST", "/v1/sessions", { body: session })).status === 202 ? true : undefined,
  );
  await until("the model is called", () => (model.seen.length > 0 ? true : undefined));
  assert.equal((await own.request("POST", `/v1/sessions/${id}/actions/cancel`)).status, 202);
  assert.equal((await own.ended(id, 20_000)).status, "canceled");
  const types = (await own.events(id)).map(({ type }) => type);
  assert.deepEqual(types.slice(-2), ["effect.failed", "session.canceled"]);
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const { status } = await new Client({ connection }).workflow.getHandle(`session-${id}`).describe();
  assert.equal(status.name, "CANCELLED");
  await connection.close();
});

test("a cancellation that was recorded and could not be carried on: no effect begins, and asking again ends the session", async (context) => {
  const policy = await startFaultProxy(context, stack.urls["policy-engine"]);
  policy.fault = { kind: "cut" };
  const { api: own, dataDir } = await startOrchestrator(context, { env: { POLICY_ENGINE_URL: policy.url } });
  const cutOff = await startOrchestrator(context, {
    entry: "main-api",
    dataDir,
    env: { TEMPORAL_HOST: "127.0.0.1:1" },
  });
  const session = demoSession("Say one word.");
  const id = session.metadata.session_id;
  await until("it starts", async () =>
    (await own.request("POST", "/v1/sessions", { body: session })).status === 202 ? true : undefined,
  );
  await until("policy is asked", () => (policy.seen.length > 0 ? true : undefined));
  assert.equal((await cutOff.api.request("POST", `/v1/sessions/${id}/actions/cancel`)).status, 503);
  policy.fault = { kind: "pass" };
  await until("the step got as far as its token", async () =>
    (await own.events(id)).some(({ type }) => type === "token.issued") ? true : undefined,
  );
  await sleep(1_000);
  assert.equal((await own.request("POST", `/v1/sessions/${id}/actions/cancel`)).status, 202);
  assert.equal((await own.ended(id, 20_000)).status, "canceled");
  const types = (await own.events(id)).map(({ type }) => type);
  assert.ok(types.includes("session.cancel_requested") && !types.includes("effect.intended"), types.join(", "));
  assert.equal(types.at(-1), "session.canceled");
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const { status } = await new Client({ connection }).workflow.getHandle(`session-${id}`).describe();
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
