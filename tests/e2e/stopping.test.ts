import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { EventPage } from "@soma/contracts/audit";
import type { SessionPage, SessionView } from "@soma/contracts/session";
import type { ErasureReport, StopReport } from "@soma/contracts/stop";
import type { TenantEventPage } from "@soma/contracts/tenant-events";
import type { Api } from "../harness/api.ts";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { tokenOf } from "../harness/tokens.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const run = promisify(execFile);

async function isValid(token: string): Promise<boolean> {
  const answer = await fetch(`${stack.urls["identity-service"]}/v1/tokens/verify`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  const { valid }: { valid: boolean } = JSON.parse(await answer.text());
  return valid;
}

/** What an admin of the demo tenant sees and does. */
function adminOf(api: Api, token: string) {
  const headers = bearer(token);
  return {
    stop: async (body: object): Promise<StopReport> => {
      const answer = await api.request<StopReport>("POST", "/v1/stops", {
        body: { reason: "a test", ...body },
        headers,
      });
      assert.equal(answer.status, 200, answer.text);
      return answer.body;
    },
    view: async (id: string) => (await api.request<SessionView>("GET", `/v1/sessions/${id}`, { headers })).body,
    types: async (id: string) => {
      const { body } = await api.request<EventPage>("GET", `/v1/sessions/${id}/events?limit=1000`, { headers });
      return body.events.map(({ type }) => type);
    },
  };
}

async function start(
  api: Api,
  token: string,
  prompt = "Write a long story about a lighthouse keeper.",
): Promise<string> {
  const session_id = `sess-${randomUUID()}`;
  await api.start({ prompt, metadata: { session_id } }, bearer(token));
  return session_id;
}

test("a stop reaches the running model calls of its scope and no others, ends the tokens, and is recorded", async (t) => {
  const model = await startFaultProxy(t, stack.urls.slm);
  // Every call is under way until somebody ends it.
  model.fault = { kind: "hang" };
  const { api } = await startOrchestrator(t, { env: { AUTH_MODE: "required", SLM_BASE_URL: model.url } });
  const admin = adminOf(api, await tokenOf("tenant-demo", "admin-demo"));
  const logins = await Promise.all(
    ["user-demo", "user-demo", "admin-demo"].map((user) => tokenOf("tenant-demo", user)),
  );
  const [first = "", second = "", third = ""] = await Promise.all(logins.map((login) => start(api, login)));
  await until("all three calls are under way", () => (model.authorizations.size >= 3 ? true : undefined));
  const steps = [...model.authorizations].map((header) => header.slice("Bearer ".length));
  const valid = async (tokens: readonly string[]) => (await Promise.all(tokens.map(isValid))).filter(Boolean).length;
  assert.equal(await valid([...logins, ...steps]), 6);

  const one = await admin.stop({ scope: "session", target: first });
  assert.deepEqual([one.stopped, one.unknown, one.already_ended], [[first], [], 0]);
  assert.equal((await admin.view(first)).status, "canceled");
  assert.deepEqual((await admin.types(first)).slice(-3), [
    "session.cancel_requested",
    "effect.failed",
    "session.canceled",
  ]);
  assert.equal(await valid(steps), 2, "its step's token has ended");
  assert.equal(await valid(logins), 3, "a login may have started others");

  const user = await admin.stop({ scope: "user", target: "user-demo" });
  assert.deepEqual([user.stopped, user.unknown], [[second], []]);
  assert.deepEqual([await isValid(logins[1] ?? ""), await isValid(logins[2] ?? "")], [false, true]);
  assert.equal((await admin.view(third)).status, "running", "another user's goes on");

  const tenant = await admin.stop({ scope: "tenant" });
  assert.deepEqual([tenant.stopped, tenant.unknown], [[third], []]);
  assert.equal(await valid(steps), 0);
  assert.deepEqual(await admin.stop({ scope: "session", target: third }).then((again) => again.already_ended), 1);
  const { body } = await api.request<TenantEventPage>("GET", "/v1/tenants/tenant-demo/events", {
    headers: bearer(await tokenOf("tenant-demo", "admin-demo")),
  });
  const told = body.events.filter(({ type }) => type.startsWith("sessions."));
  assert.deepEqual(
    told.map(({ type, data }) => [type, data["stopped"]]),
    [1, 1, 1, 0].flatMap((count) => [
      ["sessions.stop_requested", undefined],
      ["sessions.stopped", count],
    ]),
  );
});

test("a stop that could not reach Temporal is carried on by a worker", async (t) => {
  const model = await startFaultProxy(t, stack.urls.slm);
  model.fault = { kind: "hang" };
  const { api, dataDir } = await startOrchestrator(t, { env: { AUTH_MODE: "required", SLM_BASE_URL: model.url } });
  const id = await start(api, await tokenOf("tenant-demo", "user-demo"));
  await until("the call is under way", () => (model.seen.length > 0 ? true : undefined));
  const cutOff = await startOrchestrator(t, {
    entry: "main-api",
    dataDir,
    env: { AUTH_MODE: "required", TEMPORAL_HOST: "127.0.0.1:1" },
  });
  const token = await tokenOf("tenant-demo", "admin-demo");
  const report = await adminOf(cutOff.api, token).stop({ scope: "agent", target: "session-agent" });
  assert.deepEqual([report.stopped, report.unknown], [[], [{ session_id: id, why: "temporal_unavailable" }]]);
  const admin = adminOf(api, token);
  // Its step's token was revoked at once; the reconciler carries the request on when the session has been quiet.
  const ended = await until(
    "the session ends",
    async () => {
      const { status } = await admin.view(id);
      return status === "canceled" || status === "failed" ? status : undefined;
    },
    90_000,
  );
  assert.equal(ended, "canceled");
  assert.ok(!(await admin.types(id)).includes("effect.completed"));
});

test("an erased user's texts are gone, what is recorded of him verifies, is read and streamed, and he can come back", async (t) => {
  const { api, dataDir } = await startOrchestrator(t, { env: { AUTH_MODE: "required" } });
  const login = bearer(await tokenOf("tenant-demo", "user-demo"));
  const read = async (id: string) =>
    (await api.request<SessionView>("GET", `/v1/sessions/${id}`, { headers: login })).body;
  const completed = (id: string) =>
    until(`${id} completes`, async () => ((await read(id)).status === "completed" ? read(id) : undefined));
  const id = await start(api, await tokenOf("tenant-demo", "user-demo"), "Say one word.");
  assert.ok((await completed(id)).result?.text);
  const admin = bearer(await tokenOf("tenant-demo", "admin-demo"));
  const erased = await api.request<ErasureReport>("POST", "/v1/erasures", {
    body: { user: "user-demo" },
    headers: admin,
  });
  assert.equal(erased.status, 200, erased.text);
  const { stopped, keys_destroyed, memory } = erased.body;
  assert.deepEqual([stopped, keys_destroyed, memory], [0, 1, "not_configured"]);

  const after = await read(id);
  assert.deepEqual([after.status, after.texts_gone, after.result], ["completed", "erased", undefined]);
  const list = await api.request<SessionPage>("GET", "/v1/sessions", { headers: login });
  assert.equal(list.status, 200, list.text);
  assert.deepEqual(
    list.body.sessions.map(({ session_id, texts_gone }) => [session_id, texts_gone]),
    [[id, "erased"]],
  );
  const exported = await api.request("GET", `/v1/sessions/${id}/events`, { headers: login });
  const file = join(dataDir, "exported.json");
  writeFileSync(file, exported.text);
  assert.match((await run(process.execPath, ["scripts/soma-verify.ts", file])).stdout, /Everything holds/);
  const stream = await fetch(`${api.url}/v1/sessions/${id}/events`, {
    headers: { ...login, accept: "text/event-stream" },
  });
  assert.match(await stream.text(), /event: session\.completed/);

  const back = await start(api, await tokenOf("tenant-demo", "user-demo"), "Say one word.");
  assert.ok((await completed(back)).result?.text);
});
