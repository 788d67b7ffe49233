import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { demoSession } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

test("a session that an operator terminates in Temporal says so within half a minute, and a late start changes nothing", async (context) => {
  const { urls } = stackUnderTest();
  const policy = await startFaultProxy(context, urls["policy-engine"]);
  policy.total = true;
  policy.fault = { kind: "cut" };
  const { api } = await startOrchestrator(context, { env: { POLICY_ENGINE_URL: policy.url } });
  const session = demoSession("Say one word.");
  const id = session.metadata.session_id;
  await api.start(session);
  await until("the session waits", async () => (await api.view(id)).blocked_on);
  const terminated = spawnSync(
    ".soma/temporal/bin/temporal",
    ["workflow", "terminate", "--address", urls.temporal, "--workflow-id", `session-${id}`, "--reason", "by hand"],
    { encoding: "utf8" },
  );
  assert.equal(terminated.status, 0, terminated.stderr);
  const ended = await api.ended(id, 45_000);
  assert.equal(ended.status, "failed");
  assert.deepEqual(ended.error, {
    code: "SESSION_TERMINATED",
    detail: "The session's workflow was ended from outside.",
  });
  assert.equal(ended.blocked_on, undefined);
  assert.equal((await api.events(id)).filter(({ type }) => type.startsWith("session.")).length, 2);
  const again = await api.request("POST", `/v1/sessions/${id}/actions/cancel`);
  assert.equal(again.status, 409, again.text);
});
