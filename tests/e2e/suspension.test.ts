import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { EventPage } from "@soma/contracts/audit";
import type { CreatedApiKey } from "@soma/contracts/api-key";
import type { SessionView } from "@soma/contracts/session";
import type { TenantEventPage } from "@soma/contracts/tenant-events";
import type { TenantView } from "@soma/contracts/tenant";
import { startFaultProxy } from "../harness/fault-proxy.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { tokenOf } from "../harness/tokens.ts";
import { until } from "../harness/until.ts";

const stack = stackUnderTest();

test("a tenant made by API runs sessions with its key alone; suspended it pauses before policy and goes on by itself; a used-up day ends it", async (t) => {
  const policy = await startFaultProxy(t, stack.urls["policy-engine"]);
  // Two processes, so that what holds the session up does not hold the admin up.
  const { api, dataDir, taskQueue } = await startOrchestrator(t, { entry: "main-api", env: { AUTH_MODE: "required" } });
  const env = { TEMPORAL_TASK_QUEUE: taskQueue, POLICY_ENGINE_URL: policy.url };
  await startOrchestrator(t, { entry: "main-worker", dataDir, env });
  const admin = { authorization: `Bearer ${await tokenOf("platform", "platform-admin")}` };
  const tenant = `tenant-${randomUUID().slice(0, 13)}`;
  const made = await api.request<TenantView>("POST", "/v1/tenants", {
    body: { tenant, policy_pack: "standard", quotas: { running_sessions: 2, tokens_per_day: 20_000 } },
    headers: admin,
  });
  assert.equal(made.status, 201, made.text);
  const key = await api.request<CreatedApiKey>("POST", "/v1/api-keys", {
    body: { tenant, name: "e2e", role: "operator" },
    headers: admin,
  });
  assert.equal(key.status, 201, key.text);
  const headers = { authorization: `Bearer ${key.body.secret}` };
  const start = (id: string) =>
    api.request("POST", "/v1/sessions", { body: { prompt: "Count to three.", metadata: { session_id: id } }, headers });
  const view = async (id: string) => (await api.request<SessionView>("GET", `/v1/sessions/${id}`, { headers })).body;
  const ended = (id: string) =>
    until(`${id} has completed`, async () => ((await view(id)).status === "completed" ? view(id) : undefined), 60_000);

  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
  assert.equal((await start(first)).status, 202);
  const usage = (await ended(first)).result?.usage.total_tokens ?? 0;
  const shown = await api.request<TenantView>("GET", `/v1/tenants/${tenant}`, { headers: admin });
  assert.deepEqual(shown.body.usage, { running_sessions: 0, tokens_today: usage });
  assert.ok(usage > 0);

  policy.fault = { kind: "cut" };
  assert.equal((await start(second)).status, 202);
  await until(
    "the session waits for policy",
    async () => (await view(second)).blocked_on === "policy-engine" || undefined,
  );
  const suspended = await api.request("POST", `/v1/tenants/${tenant}/suspend`, { body: {}, headers: admin });
  assert.equal(suspended.status, 200, suspended.text);
  const refused = await start(third);
  assert.deepEqual([refused.status, refused.body.code], [403, "TENANT_SUSPENDED"]);
  await until("the session pauses", async () => (await view(second)).status === "paused" || undefined);
  policy.fault = { kind: "pass" };
  const asked = policy.seen.length;
  assert.equal((await view(second)).status, "paused");
  assert.equal(policy.seen.length, asked, "policy is not asked for a suspended tenant");
  assert.equal((await api.request("POST", `/v1/tenants/${tenant}/resume`, { body: {}, headers: admin })).status, 200);
  await ended(second);
  const { body } = await api.request<EventPage>("GET", `/v1/sessions/${second}/events`, { headers });
  const types = body.events.map(({ type }) => type);
  assert.deepEqual(types.slice(0, 5), [
    "session.created",
    "dependency.unavailable",
    "session.paused",
    "session.resumed",
    "dependency.recovered",
  ]);
  assert.equal(types.filter((type) => type === "session.paused").length, 1);
  policy.fault = { kind: "cut" };
  assert.equal((await start(third)).status, 202);
  await until(
    "the third waits for policy",
    async () => (await view(third)).blocked_on === "policy-engine" || undefined,
  );
  const spent = { quotas: { tokens_per_day: 1 } };
  const less = await api.request("PATCH", `/v1/tenants/${tenant}`, { body: spent, headers: admin });
  assert.equal(less.status, 200, less.text);
  const failed = await until("a used-up day ends the step", async () => {
    const { status, error } = await view(third);
    return status === "failed" ? error : undefined;
  });
  assert.equal(failed.code, "QUOTA_EXCEEDED");
  const ledger = await api.request<TenantEventPage>("GET", `/v1/tenants/${tenant}/events`, { headers: admin });
  assert.deepEqual(
    ledger.body.events.map(({ type }) => type),
    ["tenant.created", "api_key.created", "tenant.suspended", "tenant.resumed", "tenant.updated"],
  );
});
