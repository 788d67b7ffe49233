import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { newContent } from "../../src/ledger/content.ts";
import { RetentionSweep } from "../../src/retention/retention-sweep.ts";
import { foundTenant } from "../../src/tenants/found-tenant.ts";
import { eventsOf, openSession } from "../harness/sessions.ts";
import { completedEvent, stepEvents } from "../ledger/sample-events.ts";
import { openTenantApp, startNeighbours, type Neighbours } from "../tenants/tenant-app.ts";

let neighbours: Neighbours;
before(async () => {
  neighbours = await startNeighbours();
});
after(() => neighbours[Symbol.asyncDispose]());

const day = 86_400_000;

test("a tenant's days are kept to: what is older is cut, and the API says so in views, pages and lists", async () => {
  await using world = await openTenantApp(neighbours);
  const { ledger } = world;
  await ledger.tenants.append({ events: [foundTenant("tenant-demo")] });
  const ids = Array.from({ length: 30 }, (_, index) => `past-${String(index)}`);
  for (const session_id of ids) {
    const row = await openSession(ledger, { session_id });
    const events = [...stepEvents(row, "completion-1", "the answer"), completedEvent(row, "the answer")];
    await ledger.append(eventsOf(row, events), [newContent(row, "text/plain", "the answer")]);
  }
  await openSession(ledger, { session_id: "running" });
  const sweepAt = async (time: number): Promise<void> => {
    const { log } = createTestLog();
    await new RetentionSweep({ ledger, log, now: () => new Date(time), delivered: false }).pass();
  };
  const token = await world.login("tenant-demo", "admin-demo", ["tenant.manage", "session.read", "ledger.read"]);
  await sweepAt(Date.now() + 1_000 * day);
  assert.deepEqual(await world.types("tenant-demo"), ["tenant.created"], "nobody has said for how long");
  const set = await world.send(token, "PATCH", "/v1/tenants/tenant-demo", { retention_days: 30 });
  assert.equal(set.statusCode, 200, set.body);
  await sweepAt(Date.now() + 29 * day);
  const events = await world.send(token, "GET", "/v1/sessions/past-0/events");
  assert.equal(events.json().gap, undefined);
  assert.equal(events.json().events.length, 5);
  await sweepAt(Date.now() + 31 * day);

  const types = await world.types("tenant-demo");
  assert.deepEqual(types, ["tenant.created", "tenant.updated", "retention.applied", "retention.applied"]);
  const { session_id, gap, events: left } = (await world.send(token, "GET", "/v1/sessions/past-0/events")).json();
  assert.equal(session_id, "past-0");
  assert.deepEqual(gap, { from: 1, to: 4, hash: left[0].prevhash });
  assert.deepEqual([left.length, left[0].sequence, left[0].type], [1, 5, "session.completed"]);
  const behind = (await world.send(token, "GET", "/v1/sessions/past-0/events?after=4")).json();
  assert.deepEqual([behind.gap, behind.events.length], [undefined, 1], "who has read so far has missed nothing");
  const beyond = (await world.send(token, "GET", "/v1/sessions/past-0/events?after=5")).json();
  assert.deepEqual([beyond.gap, beyond.events], [undefined, []]);
  const within = (await world.send(token, "GET", "/v1/sessions/past-0/events?after=2")).json();
  assert.deepEqual(within.gap, gap);
  const whole = (await world.send(token, "GET", "/v1/sessions/running/events")).json();
  assert.deepEqual([whole.gap, whole.events.length], [undefined, 1]);

  const view = await world.send(token, "GET", "/v1/sessions/past-0");
  assert.deepEqual(
    [view.json().status, view.json().texts_gone, view.json().result],
    ["completed", "retention", undefined],
  );
  const list = await world.send(token, "GET", "/v1/sessions?limit=100");
  assert.equal(list.statusCode, 200, list.body);
  assert.equal(list.json().sessions.length, 31);
});

test("a sweep that is started ends when it is stopped", async () => {
  await using world = await openTenantApp(neighbours);
  const { log } = createTestLog();
  const { ledger } = world;
  const sweep = new RetentionSweep({ ledger, log, now: () => new Date(), delivered: true, intervalMs: 1 });
  sweep.start();
  await sweep.stop();
});
