import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { CauseCode, Cause, SessionDiagnosis } from "@soma/contracts/diagnosis";
import type { CreatedApiKey } from "@soma/contracts/api-key";
import { demoSession, type Api } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { tokenOf } from "../harness/tokens.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();

async function diagnose(api: Api, id: string, headers: Record<string, string> = {}): Promise<SessionDiagnosis> {
  const answer = await api.request<SessionDiagnosis>("GET", `/v1/sessions/${id}/diagnosis`, { headers });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** Waits until the session's diagnosis names a cause, and gives it. */
async function causeOf(api: Api, id: string, code: CauseCode, headers: Record<string, string> = {}): Promise<Cause> {
  let last: SessionDiagnosis | undefined;
  try {
    return await until(
      `the diagnosis says ${code}`,
      async () => {
        last = await diagnose(api, id, headers);
        return last.causes.find((cause) => cause.code === code);
      },
      30_000,
    );
  } catch (error) {
    throw new Error(`it said ${JSON.stringify(last)}`, { cause: error });
  }
}

async function started(api: Api, prompt: string, more: Record<string, unknown> = {}): Promise<string> {
  const session = demoSession(prompt, more);
  await api.start(session);
  return session.metadata.session_id;
}

test("no worker on the queue: the diagnosis names the queue, and without Temporal it says what it could not ask", async (t) => {
  const { api, taskQueue, dataDir } = await startOrchestrator(t, { entry: "main-api" });
  const id = await started(api, "canary-words that no diagnosis may show");
  const { what, would_move, details } = await causeOf(api, id, "no_worker");
  assert.equal(details?.["task_queue"], taskQueue);
  assert.ok(what.includes(taskQueue) && would_move.includes(`--task-queue ${taskQueue}`));
  const { causes, not_asked, status } = await diagnose(api, id);
  assert.ok(!JSON.stringify(causes).includes("canary-words"));
  assert.deepEqual([status, not_asked], ["starting", []]);

  const cutOff = await startOrchestrator(t, { entry: "main-api", dataDir, env: { TEMPORAL_HOST: "127.0.0.1:1" } });
  const blind = await diagnose(cutOff.api, id);
  assert.deepEqual(
    blind.not_asked.map(({ dependency }) => dependency),
    ["temporal"],
  );
  assert.deepEqual(
    blind.causes.map(({ code, details: more }) => [code, more?.["dependency"]]),
    [["dependency_down", "temporal"]],
  );
  // A request to cancel that is recorded and cannot be carried on.
  assert.equal((await cutOff.api.request("POST", `/v1/sessions/${id}/actions/cancel`)).status, 503);
  assert.ok((await causeOf(cutOff.api, id, "canceling")).since);
});

test("a policy engine that is down is named, since when, and a session that goes on says so until its end", async (t) => {
  const policy = await startFaultProxy(t, stack.urls["policy-engine"]);
  const { api } = await startOrchestrator(t, { env: { POLICY_ENGINE_URL: policy.url } });
  policy.fault = { kind: "cut" };
  policy.total = true;
  const id = await started(api, "Say one word.");
  const { since, details } = await until("it waits for the policy engine", async () => {
    const cause = await causeOf(api, id, "dependency_down");
    return cause.details?.["session_waits"] === true && cause.details["watch_misses_it"] === true ? cause : undefined;
  });
  assert.ok(since !== undefined && Date.parse(since) <= Date.now());
  assert.deepEqual([details?.["dependency"], details?.["code"]], ["policy-engine", "POLICY_UNAVAILABLE"]);
  policy.fault = { kind: "pass" };
  await api.ended(id);
  const { causes } = await diagnose(api, id);
  assert.deepEqual(
    causes.map(({ code }) => code),
    ["ended"],
  );
});

test("a model that fails is being retried, one that works is under way", async (t) => {
  const model = await startFaultProxy(t, stack.urls.slm);
  const { api } = await startOrchestrator(t, { env: { SLM_BASE_URL: model.url } });
  model.fault = { kind: "cut" };
  const failing = await started(api, "Say one word.");
  const { details, since } = await causeOf(api, failing, "retrying");
  assert.ok(since);
  assert.deepEqual([details?.["activity"], details?.["last_failure"]], ["run-slm-completion", "MODEL_UNAVAILABLE"]);
  assert.ok(Number(details?.["attempt"]) > 1);
  model.fault = { kind: "hang" };
  const working = await started(api, "Say one word.");
  const moving = await until("it is under way", async () => {
    const cause = await causeOf(api, working, "moving");
    return cause.details?.["activity"] === "run-slm-completion" ? cause : undefined;
  });
  assert.equal(moving.details?.["state"], "started");
  for (const id of [failing, working]) await api.request("POST", `/v1/sessions/${id}/actions/cancel`);
});

test("what waits for people says for whom: input, an approval, a resume", async (t) => {
  const { api } = await startOrchestrator(t);
  const open = await started(api, "Say hello.", { mode: "interactive" });
  const input = await causeOf(api, open, "waiting_input");
  assert.match(input.would_move, /actions\/message/);
  const asked = await started(api, "Write one line about the release to our customers.", { mode: "interactive" });
  const approval = await causeOf(api, asked, "waiting_approval");
  assert.ok(approval.since);
  assert.deepEqual([approval.details?.["role"], approval.details?.["granted"]], ["approver", 0]);
  assert.ok(approval.would_move.includes(String(approval.details?.["approval_id"])));
  assert.equal((await api.request("POST", `/v1/sessions/${open}/actions/pause`)).status, 200);
  assert.match((await causeOf(api, open, "paused")).would_move, /actions\/resume/);
  for (const id of [open, asked]) await api.request("POST", `/v1/sessions/${id}/actions/terminate`);
});

async function tenantWithKey(t: TestContext, policyUrl: string) {
  // Two processes, so that what holds the session up does not hold the admin up.
  const { api, dataDir, taskQueue } = await startOrchestrator(t, { entry: "main-api", env: { AUTH_MODE: "required" } });
  const env = { TEMPORAL_TASK_QUEUE: taskQueue, POLICY_ENGINE_URL: policyUrl };
  await startOrchestrator(t, { entry: "main-worker", dataDir, env });
  const admin = { authorization: `Bearer ${await tokenOf("platform", "platform-admin")}` };
  const tenant = `tenant-${crypto.randomUUID().slice(0, 13)}`;
  const ask = (method: string, path: string, body: unknown) => api.request(method, path, { body, headers: admin });
  assert.equal((await ask("POST", "/v1/tenants", { tenant, policy_pack: "standard" })).status, 201);
  const key = await api.request<CreatedApiKey>("POST", "/v1/api-keys", {
    body: { tenant, name: "e2e", role: "operator" },
    headers: admin,
  });
  return { api, tenant, ask, headers: { authorization: `Bearer ${key.body.secret}` } };
}

test("a suspended tenant and a day's quota that is used up are named", async (t) => {
  const policy = await startFaultProxy(t, stack.urls["policy-engine"]);
  const { api, tenant, ask, headers } = await tenantWithKey(t, policy.url);
  const start = async (): Promise<string> => (await api.start({ prompt: "Count to three." }, headers)).session_id;
  const first = await start();
  await until("the first one ends", async () =>
    (await diagnose(api, first, headers)).causes[0]?.code === "ended" ? true : undefined,
  );
  policy.fault = { kind: "cut" };
  const id = await start();
  await causeOf(api, id, "dependency_down", headers);
  assert.equal((await ask("PATCH", `/v1/tenants/${tenant}`, { quotas: { tokens_per_day: 1 } })).status, 200);
  const quota = await causeOf(api, id, "quota", headers);
  assert.deepEqual([quota.details?.["quota"], quota.details?.["limit"]], ["tokens_per_day", 1]);
  policy.fault = { kind: "pass" };
  assert.equal((await ask("POST", `/v1/tenants/${tenant}/suspend`, {})).status, 200);
  const suspended = await causeOf(api, id, "tenant_suspended", headers);
  assert.ok(suspended.would_move.includes(`/v1/tenants/${tenant}/resume`));
});
