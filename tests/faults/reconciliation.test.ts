import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { AuditEvent } from "@soma/contracts/audit";
import { demoSession, type Api } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { findReplicas, generationsOf, intendedKey } from "../harness/generations.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();
const ofType = (events: readonly AuditEvent[], type: string): AuditEvent[] =>
  events.filter((event) => event.type === type);

/** Waits until the model service has written down that it did the session's effect. */
async function generated(api: Api, id: string): Promise<unknown> {
  const key = await until("the effect is intended", async () => intendedKey(await api.events(id)));
  await until("the model has finished", async () => ((await generationsOf(key)).length > 0 ? true : undefined));
  return key;
}

async function countedTokens(api: Api): Promise<string[]> {
  const answer = await fetch(`${api.url}/metrics`);
  const text = await answer.text();
  assert.match(text, /^# TYPE soma_model_tokens_total counter$/m);
  return text.split("\n").filter((line) => line.startsWith("soma_model_tokens_total{") && !line.endsWith(" 0"));
}

test("an orchestrator killed between the model's outcome and its record: one generation, told again", async (context) => {
  const model = await startFaultProxy(context, stack.urls.slm);
  model.fault = { kind: "hold-end", ms: 60_000 };
  const dataDir = mkdtempSync(join(tmpdir(), "soma-reconciliation-"));
  context.after(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });
  const first = await startOrchestrator(context, { dataDir, env: { SLM_BASE_URL: model.url } });
  const session = demoSession("Name three colours.");
  const id = session.metadata.session_id;
  await first.api.start(session);
  const key = await generated(first.api, id);
  assert.deepEqual(ofType(await first.api.events(id), "effect.completed"), []);
  first.child.kill("SIGKILL");
  model.fault = { kind: "pass" };

  const second = await startOrchestrator(context, {
    dataDir,
    env: { SLM_BASE_URL: model.url, TEMPORAL_TASK_QUEUE: first.taskQueue },
  });
  assert.equal((await second.api.ended(id)).status, "completed");
  const events = await second.api.events(id);
  const [completed, ...more] = ofType(events, "effect.completed");
  assert.deepEqual(more, []);
  assert.equal(completed?.data["replayed"], true);
  assert.equal(completed.data["effect_key"], key);
  assert.equal((await generationsOf(key)).length, 1);
  assert.equal(model.seen.length, 2, "it was asked again, with the key");
  assert.deepEqual(await countedTokens(second.api), [], "what another attempt generated is not counted here");
});

test("an unknown outcome, a permit that ran out and a new one with another limit: what was done is the outcome", async (context) => {
  const policy = await startFaultProxy(context, stack.urls["policy-engine"]);
  const model = await startFaultProxy(context, stack.urls.slm);
  const decideWith = (limit: number, holdsMs: number): void => {
    policy.fault = {
      kind: "edit",
      edit: (body) => ({
        ...body,
        obligations: [{ kind: "max_output_tokens", limit }],
        expires_at: new Date(Date.now() + holdsMs).toISOString(),
      }),
    };
  };
  decideWith(40, 5_000);
  // Past the end of the permit, so that the next attempt needs another decision.
  model.fault = { kind: "hold-end", ms: 6_000 };
  const { api } = await startOrchestrator(context, {
    env: { SLM_BASE_URL: model.url, POLICY_ENGINE_URL: policy.url },
  });
  const session = demoSession("Write a long story about a bridge.");
  const id = session.metadata.session_id;
  await api.start(session);
  const key = await generated(api, id);
  decideWith(7, 60_000);
  model.fault = { kind: "pass" };
  assert.equal((await api.ended(id)).status, "completed");
  const events = await api.events(id);
  assert.equal(ofType(events, "policy.decided").length, 2);
  const [completed, ...more] = ofType(events, "effect.completed");
  assert.deepEqual(more, []);
  assert.equal(completed?.data["replayed"], true);
  const [generation, ...again] = await generationsOf(key);
  assert.deepEqual(again, []);
  assert.equal(generation?.completion_tokens, 40);
  assert.equal(Object(completed.data["usage"]).completion_tokens, 40);
});

test("the model service killed in the middle of a generation: it was no outcome, and the session completes on its return", async (context) => {
  const { api } = await startOrchestrator(context);
  const session = demoSession("Write a long story about a lighthouse keeper and his daughter.");
  const id = session.metadata.session_id;
  await api.start(session);
  const key = await until("the effect is intended", async () => intendedKey(await api.events(id)));
  await until("the model writes", async () => {
    const answer = await fetch(`${stack.urls.slm}/health`);
    const health: { chat: { running: number } } = JSON.parse(await answer.text());
    return health.chat.running > 0 ? true : undefined;
  });
  const replicas = findReplicas();
  assert.equal(replicas.length, 1);
  for (const pid of replicas) process.kill(pid, "SIGKILL");
  assert.equal((await api.ended(id, 120_000)).status, "completed");
  const events = await api.events(id);
  const [completed, ...more] = ofType(events, "effect.completed");
  assert.deepEqual(more, []);
  assert.equal(completed?.data["replayed"], undefined);
  assert.equal(ofType(events, "dependency.unavailable").length, 1);
  assert.equal(ofType(events, "dependency.recovered").length, 1);
  assert.equal((await generationsOf(key)).length, 1);
});
