import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { SessionPage } from "@soma/contracts/session";
import { demoSession } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator, type OrchestratorProcess } from "../harness/orchestrator-process.ts";
import { until } from "../harness/until.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { freePort, startTemporal } from "../harness/temporal-process.ts";

const stack = stackUnderTest();

interface Ready {
  readonly status: string | number;
  readonly missing: { name: string; address: string }[];
}

async function missingNames(orchestrator: OrchestratorProcess): Promise<string[]> {
  const { body } = await orchestrator.api.request<Ready>("GET", "/ready");
  return body.missing.map(({ name }) => name);
}

function linesAbout(orchestrator: OrchestratorProcess, dependency: string): string[] {
  return orchestrator
    .log()
    .flatMap((line) => (line.dependency === dependency && line.msg !== undefined ? [line.msg] : []));
}

for (const dependency of ["policy-engine", "identity-service", "slm"] as const) {
  const variable = {
    "policy-engine": "POLICY_ENGINE_URL",
    "identity-service": "IDENTITY_SERVICE_URL",
    slm: "SLM_BASE_URL",
  }[dependency];

  test(`${dependency} away at the start and lost later: named once per outage and once on return, and work goes on by itself`, async (context) => {
    const proxy = await startFaultProxy(context, stack.urls[dependency]);
    proxy.total = true;
    proxy.fault = { kind: "cut" };
    const orchestrator = await startOrchestrator(context, { env: { [variable]: proxy.url } });
    const { api } = orchestrator;
    await until("the worker polls", async () =>
      (await api.request("GET", "/ready")).status === 200 ? true : undefined,
    );
    assert.deepEqual(await missingNames(orchestrator), [dependency]);
    for (const outage of [1, 2]) {
      proxy.fault = { kind: "cut" };
      await until("it is missing", async () =>
        (await missingNames(orchestrator)).includes(dependency) ? true : undefined,
      );
      const session = demoSession("Say one word.");
      await api.start(session);
      const id = session.metadata.session_id;
      await until("the session says what it waits for", async () =>
        (await api.view(id)).blocked_on === dependency ? true : undefined,
      );
      proxy.fault = { kind: "pass" };
      assert.equal((await api.ended(id)).status, "completed");
      await until("it is not missing any more", async () =>
        (await missingNames(orchestrator)).length === 0 ? true : undefined,
      );
      const lines = linesAbout(orchestrator, dependency);
      assert.equal(lines.length, 2 * outage, lines.join("\n"));
      for (const line of lines) assert.ok(line.includes(proxy.url), line);
    }
    assert.equal(await orchestrator.stop(), 0);
  });
}

test("Temporal away at the start and lost later: 503 and no half session meanwhile, and what was accepted goes on", async (context) => {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "soma-temporal-"));
  context.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const orchestrator = await startOrchestrator(context, { env: { TEMPORAL_HOST: `127.0.0.1:${String(port)}` } });
  const { api } = orchestrator;
  // P19: not ready while it starts.
  assert.equal((await api.request("GET", "/ready")).status, 503);
  assert.ok((await missingNames(orchestrator)).includes("temporal"));
  const early = demoSession("Too early.");
  const begin = performance.now();
  const refused = await api.request("POST", "/v1/sessions", { body: early });
  assert.equal(refused.status, 503);
  assert.equal(refused.body.code, "TEMPORAL_UNAVAILABLE");
  assert.ok(refused.headers.get("retry-after"));
  assert.ok(performance.now() - begin < 1_500);
  assert.equal((await api.request("GET", `/v1/sessions/${early.metadata.session_id}`)).status, 404, "a half session");

  const first = startTemporal(context, port, folder);
  await until("ready", async () => ((await api.request("GET", "/ready")).status === 200 ? true : undefined));
  await api.start(early);
  assert.equal((await api.ended(early.metadata.session_id)).status, "completed");

  const running = demoSession("Write a long story about a bridge.");
  await api.start(running);
  await until("the model is called", async () =>
    (await api.events(running.metadata.session_id)).some(({ type }) => type === "effect.intended") ? true : undefined,
  );
  first.kill("SIGKILL");
  await until("it is missing", async () =>
    (await missingNames(orchestrator)).includes("temporal") ? true : undefined,
  );
  startTemporal(context, port, folder);
  assert.equal((await api.ended(running.metadata.session_id, 90_000)).status, "completed");
  const effects = (await api.events(running.metadata.session_id)).filter(({ type }) => type === "effect.completed");
  assert.equal(effects.length, 1);
  // The session can end before the next look at Temporal shows that it is back.
  await until("it is not missing any more", async () =>
    (await missingNames(orchestrator)).length === 0 ? true : undefined,
  );
  const lines = linesAbout(orchestrator, "temporal");
  assert.equal(lines.length, 4, lines.join("\n"));
  assert.equal(await orchestrator.stop(), 0);
});

test("Temporal hangs during a start: 503, the same request finishes it later, and what nobody can repeat is closed", async (context) => {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "soma-temporal-"));
  context.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const server = startTemporal(context, port, folder);
  const orchestrator = await startOrchestrator(context, { env: { TEMPORAL_HOST: `127.0.0.1:${String(port)}` } });
  const { api } = orchestrator;
  await until("ready", async () => ((await api.request("GET", "/ready")).status === 200 ? true : undefined));
  const named = demoSession("Say one word.");
  const unnamed = { tenant: "tenant-demo", user: "user-demo", prompt: "Say two words." };
  server.kill("SIGSTOP");
  const begin = performance.now();
  const answers = await Promise.all([named, unnamed].map((body) => api.request("POST", "/v1/sessions", { body })));
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body.code]),
    [
      [503, "TEMPORAL_UNAVAILABLE"],
      [503, "TEMPORAL_UNAVAILABLE"],
    ],
  );
  assert.ok(performance.now() - begin < 1_500);
  server.kill("SIGCONT");
  await until("Temporal is back", async () => ((await missingNames(orchestrator)).length === 0 ? true : undefined));
  // Its workflow may run late, now that Temporal reads what was sent: in a session that is closed it does nothing.
  const repeated = await until("the same request is taken", async () => {
    const answer = await api.request("POST", "/v1/sessions", { body: named });
    return answer.status === 202 ? answer : undefined;
  });
  assert.equal(repeated.status, 202);
  assert.equal((await api.ended(named.metadata.session_id)).status, "completed");
  const { body } = await api.request<SessionPage>("GET", "/v1/sessions?tenant=tenant-demo&status=failed");
  assert.deepEqual(
    body.sessions.map(({ error }) => error?.code),
    ["TEMPORAL_UNAVAILABLE"],
  );
  const [closed] = body.sessions;
  assert.deepEqual(
    (await api.events(closed?.session_id ?? "")).map(({ type }) => type),
    ["session.created", "session.failed"],
  );
});
