import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { verify } from "../../scripts/soma-verify.ts";
import { demoSession } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

/** The kernel refuses to let any file of the process grow beyond this: what a full disk is to whoever writes. */
function limitFiles(pid: number | undefined, bytes: string): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]);
}

test("a full disk: starts are 503 and write nothing, running sessions wait, and go on when there is room", async (context) => {
  const model = await startFaultProxy(context, stackUnderTest().urls.slm);
  model.fault = { kind: "slow", ms: 4_000 };
  const { api, child } = await startOrchestrator(context, { env: { SLM_BASE_URL: model.url } });
  await until("ready", async () => ((await api.request("GET", "/ready")).status === 200 ? true : undefined));
  const running = demoSession("Say one word.");
  await api.start(running);
  await until("the model is called", () => (model.seen.length > 0 ? true : undefined));

  limitFiles(child.pid, "1");
  const late = demoSession("Say one word.");
  const refused = await api.request("POST", "/v1/sessions", { body: late });
  assert.equal(refused.status, 503, refused.text);
  assert.equal(refused.body.code, "AUDIT_UNAVAILABLE");
  assert.doesNotMatch(refused.text, /disk|sqlite|full|fsize/i);
  assert.ok(Number(refused.headers.get("retry-after")) >= 1);
  const ready = await until("the ledger is missed", async () => {
    const answer = await api.request<{ missing?: { name: string }[] }>("GET", "/ready");
    return answer.status === 503 ? answer.text : undefined;
  });
  assert.match(ready, /"ledger"/);
  const unknown = await api.request("GET", `/v1/sessions/${late.metadata.session_id}`);
  assert.equal(unknown.status, 404, "half a session");
  // Long enough for the model's answer to come and find no room.
  await until("the answer came", async () => {
    const types = (await api.events(running.metadata.session_id)).map(({ type }) => type);
    assert.ok(!types.includes("effect.completed"), "recorded on a full disk");
    return model.seen.length > 1 ? true : undefined;
  });

  limitFiles(child.pid, "unlimited");
  model.fault = { kind: "pass" };
  const ended = await api.ended(running.metadata.session_id);
  assert.equal(ended.status, "completed", JSON.stringify(ended.error));
  await until("starts are accepted again", async () =>
    (await api.request("POST", "/v1/sessions", { body: late })).status === 202 ? true : undefined,
  );
  assert.equal((await api.ended(late.metadata.session_id)).status, "completed");
  for (const { metadata } of [running, late])
    assert.deepEqual(verify(JSON.stringify(await api.events(metadata.session_id))).violations, []);
});
