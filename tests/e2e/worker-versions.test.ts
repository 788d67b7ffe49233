import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { demoSession } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator, type OrchestratorProcess } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

const { urls } = stackUnderTest();

/** The build that a session's workflow belongs to, in Temporal's own words. */
function buildOf(id: string): string | undefined {
  const { stdout } = spawnSync(
    ".soma/temporal/bin/temporal",
    ["workflow", "describe", "--address", urls.temporal, "--workflow-id", `session-${id}`, "-o", "json"],
    { encoding: "utf8" },
  );
  return /"deploymentVersion":\s*\{\s*"buildId":\s*"([^"]*)"/.exec(stdout)?.[1];
}

async function promote(env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, ["services/orchestrator/src/promote-worker.ts"], {
    env: { PATH: process.env["PATH"], TEMPORAL_HOST: urls.temporal, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      text += bytes.toString();
    });
  const [code] = await once(child, "close");
  assert.equal(code, 0, text);
  return text;
}

const says = (orchestrator: OrchestratorProcess, pattern: RegExp): Promise<true> =>
  until(String(pattern), () => (orchestrator.log().some(({ msg = "" }) => pattern.test(msg)) ? true : undefined));

test("running sessions stay with the code that they began on, new ones go to the version that was promoted", async (context) => {
  const policy = await startFaultProxy(context, urls["policy-engine"]);
  policy.total = true;
  policy.fault = { kind: "cut" };
  const deployment = `test-${crypto.randomUUID()}`;
  const env = (build: string) => ({
    POLICY_ENGINE_URL: policy.url,
    WORKER_DEPLOYMENT_NAME: deployment,
    WORKER_BUILD_ID: build,
  });
  const door = await startOrchestrator(context, { entry: "main-api", env: env("one") });
  const { api, taskQueue, dataDir } = door;
  const startWorker = (build: string): Promise<OrchestratorProcess> =>
    startOrchestrator(context, { entry: "main-worker", args: ["--task-queue", taskQueue], dataDir, env: env(build) });
  const start = async (): Promise<string> => {
    const session = demoSession("Say one word.");
    await api.start(session);
    const id = session.metadata.session_id;
    await until("it waits for policy", async () => (await api.view(id)).blocked_on);
    return id;
  };

  const one = await startWorker("one");
  await says(one, /new sessions come here/);
  const before = await start();
  const two = await startWorker("two");
  await says(two, /new sessions come to build one, until this one is promoted/);
  const between = await start();
  assert.match(await promote(env("two")), /new sessions go to \S+ two; running ones stay/);
  const after = await start();
  assert.deepEqual([before, between, after].map(buildOf), ["one", "one", "two"]);

  await one.stop();
  policy.fault = { kind: "pass" };
  assert.equal((await api.ended(after)).status, "completed");
  assert.equal((await api.view(before)).status, "starting", "nobody runs its code");
  await startWorker("one");
  assert.equal((await api.ended(before)).status, "completed");
  assert.equal((await api.ended(between)).status, "completed");
  assert.deepEqual([before, between, after].map(buildOf), ["one", "one", "two"]);
});
