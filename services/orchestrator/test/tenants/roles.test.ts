import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import type { Capability } from "@soma/contracts/wire-names";
import { newContent } from "../../src/ledger/content.ts";
import { completedEvent, stepEvents } from "../ledger/sample-events.ts";
import { openTenantApp, startNeighbours, type Neighbours, type TenantApp } from "./tenant-app.ts";

let neighbours: Neighbours;
before(async () => {
  neighbours = await startNeighbours();
});
after(() => neighbours[Symbol.asyncDispose]());

/** A session of tenant-demo, started over the API; its workflow is nowhere. */
async function start(world: TenantApp): Promise<string> {
  const token = await world.login("tenant-demo", "user-demo", ["session.start"]);
  const session_id = `sess-${randomUUID()}`;
  const answer = await world.send(token, "POST", "/v1/sessions", { prompt: "hello", metadata: { session_id } });
  assert.equal(answer.json().code, "TEMPORAL_UNAVAILABLE");
  return session_id;
}

async function complete(world: TenantApp, session_id: string): Promise<void> {
  const subject = { tenant: "tenant-demo", session_id };
  const user = "user-demo";
  const told = [...stepEvents(subject, "step-1"), completedEvent(subject)];
  for (const event of told) Object.assign(event, { user });
  await world.ledger.append(told, [newContent({ ...subject, user }, "text/plain; charset=utf-8", "world")]);
}

test("an auditor sees sessions, lists and ledgers without a word of what was answered; who may read sessions sees it", async () => {
  await using world = await openTenantApp(neighbours);
  const id = await start(world);
  await complete(world, id);
  const viewer = await world.login("tenant-demo", "viewer-demo", ["session.read"]);
  const auditor = await world.login("tenant-demo", "auditor-demo", ["ledger.read"]);
  const seen = (await world.send(viewer, "GET", `/v1/sessions/${id}`)).json();
  assert.equal(seen.result.text, "world");
  const { result: _result, ...rest } = seen;
  const audited = await world.send(auditor, "GET", `/v1/sessions/${id}`);
  assert.deepEqual(audited.json(), rest);
  assert.equal(audited.json().status, "completed");
  const [listed] = (await world.send(auditor, "GET", "/v1/sessions")).json().sessions;
  assert.deepEqual(listed, rest);
  assert.equal((await world.send(viewer, "GET", "/v1/sessions")).json().sessions[0].result.text, "world");
  const pages = await world.send(auditor, "GET", `/v1/sessions/${id}/events`);
  assert.equal(pages.json().events.length, 5);
  assert.equal((await world.send(auditor, "POST", `/v1/sessions/${id}/actions/cancel`, {})).json().code, "FORBIDDEN");
});

test("an auditor's stream has the events and no deltas", async () => {
  await using world = await openTenantApp(neighbours);
  const id = await start(world);
  const url = await world.app.listen({ host: "127.0.0.1", port: 0 });
  const read = async (user: string, scopes: Capability[]): Promise<string> => {
    const token = await world.login("tenant-demo", user, scopes);
    const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
    return (await fetch(`${url}/v1/sessions/${id}/events`, { headers })).text();
  };
  const streams = Promise.all([read("viewer-demo", ["session.read"]), read("auditor-demo", ["ledger.read"])]);
  await sleep(400);
  world.deltas.publish(id, { step: "step-1", attempt: 1, offset: 0, text: "wor" });
  await sleep(50);
  await complete(world, id);
  const [viewer, auditor] = await streams;
  assert.match(viewer, /event: delta/);
  assert.doesNotMatch(auditor, /event: delta|wor"/);
  assert.match(auditor, /event: session\.completed/);
});

test("a tenant has no more streams than its quota, and another tenant has its own", async () => {
  await using world = await openTenantApp(neighbours);
  const id = await start(world);
  const platform = await world.platform();
  await world.send(platform, "PATCH", "/v1/tenants/tenant-demo", { quotas: { streams: 2 } });
  const url = await world.app.listen({ host: "127.0.0.1", port: 0 });
  const token = await world.login("tenant-demo", "viewer-demo", ["session.read"]);
  const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
  const stop = new AbortController();
  const open = () => fetch(`${url}/v1/sessions/${id}/events`, { headers, signal: stop.signal });
  const first = await Promise.all([open(), open()]);
  assert.deepEqual(
    first.map(({ status }) => status),
    [200, 200],
  );
  const refused = await open();
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
  const problem: unknown = await refused.json();
  assert.match(JSON.stringify(problem), /TOO_MANY_STREAMS.*|quota streams \(2\)/);
  stop.abort();
  await sleep(100);
  const again = new AbortController();
  const room = await fetch(`${url}/v1/sessions/${id}/events`, { headers, signal: again.signal });
  assert.equal(room.status, 200);
  again.abort();
});

test("over HTTP: a used-up quota is 429 with its name and when to come again, a suspended tenant 403", async () => {
  await using world = await openTenantApp(neighbours);
  await start(world);
  const platform = await world.platform();
  const token = await world.login("tenant-demo", "user-demo", ["session.start", "session.read"]);
  const ask = () => world.send(token, "POST", "/v1/sessions", { prompt: "hello" });
  await world.send(platform, "PATCH", "/v1/tenants/tenant-demo", { quotas: { running_sessions: 1 } });
  const full = await ask();
  assert.deepEqual([full.statusCode, full.json().code, full.headers["retry-after"]], [429, "QUOTA_EXCEEDED", "5"]);
  assert.match(full.json().detail, /running_sessions \(1\)/);
  await world.send(platform, "PATCH", "/v1/tenants/tenant-demo", {
    quotas: { running_sessions: 9, tokens_per_day: 0 },
  });
  const spent = await ask();
  assert.equal(spent.statusCode, 429);
  assert.match(spent.json().detail, /tokens_per_day \(0\)/);
  const seconds = Number(spent.headers["retry-after"]);
  assert.ok(seconds >= 1 && seconds <= 86_400, String(seconds));
  await world.send(platform, "POST", "/v1/tenants/tenant-demo/suspend", {});
  const suspended = await ask();
  assert.deepEqual([suspended.statusCode, suspended.json().code], [403, "TENANT_SUSPENDED"]);
  assert.equal((await world.send(token, "GET", "/v1/sessions")).json().sessions.length, 1);
});
