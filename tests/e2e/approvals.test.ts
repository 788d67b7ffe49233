import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AuditEvent } from "@soma/contracts/audit";
import type { TenantEventPage } from "@soma/contracts/tenant-events";
import { personAt, type Person } from "../harness/conversation.ts";
import { openDoor, type Door } from "../harness/door.ts";
import { startFaultProxy, type FaultProxy } from "../harness/fault-proxy.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";

const cleanUps: (() => Promise<void>)[] = [];
let door: Door;
let policy: FaultProxy;
let operator: Person;
let approver: Person;
let admin: Person;
let stranger: Person;

before(async () => {
  const owner = { after: (clean: () => Promise<void>) => void cleanUps.unshift(clean) };
  policy = await startFaultProxy(owner, stackUnderTest().urls["policy-engine"]);
  door = await openDoor(owner, { orchestrator: { POLICY_ENGINE_URL: policy.url } });
  operator = await personAt(door.api, "tenant-demo", "user-demo");
  approver = await personAt(door.api, "tenant-demo", "approver-demo");
  admin = await personAt(door.api, "tenant-demo", "admin-demo");
  stranger = await personAt(door.api, "tenant-acme", "user-acme");
});
after(async () => {
  for (const clean of cleanUps) await clean();
});

/** The engine's own answer about a model's step, with an obligation of the test's; about all else as it is. */
function demand(obligation: Record<string, unknown>): void {
  policy.fault = {
    kind: "edit",
    // What is decided on actions has no obligations; a model's step is bounded in its output.
    edit: (body) =>
      Array.isArray(body["obligations"]) && body["obligations"].length > 0
        ? { ...body, obligations: [obligation] }
        : body,
  };
}

const release = "Write one line about the release to our customers.";
const noDigest = `sha256:${"0".repeat(64)}`;
const intents = (events: readonly AuditEvent[]): AuditEvent[] =>
  events.filter(({ type }) => type === "effect.intended");
const refusals = (events: readonly AuditEvent[]): unknown[] =>
  events.filter(({ type }) => type === "action.refused").map(({ data }) => data["code"]);

test("a valid approval lets the effect through once; the same again, another digest and another session do not", async () => {
  const [id, other] = await Promise.all([operator.start(release), operator.start(release)]);
  const { approval_id, action_digest } = await operator.approvalOf(id);
  const theirs = await operator.approvalOf(other);
  // The prompt is the same, and so is the action; what differs is whose step it is.
  assert.equal(theirs.action_digest, action_digest);
  const changed = await approver.act(id, "approve", { approval_id, action_digest: noDigest });
  assert.deepEqual([changed.status, changed.body.code], [409, "APPROVAL_MISMATCH"]);
  const elsewhere = await approver.act(other, "approve", { approval_id, action_digest });
  assert.deepEqual([elsewhere.status, elsewhere.body.code], [404, "APPROVAL_NOT_FOUND"]);
  assert.deepEqual(intents([...(await operator.events(id)), ...(await operator.events(other))]), []);

  const given = await approver.act(id, "approve", { approval_id, action_digest });
  assert.equal(given.status, 200, given.text);
  await operator.reached(id, "completed");
  const replayed = await approver.act(id, "approve", { approval_id, action_digest });
  assert.deepEqual([replayed.status, replayed.body.code], [409, "ACTION_NOT_ALLOWED"]);

  const events = await operator.events(id);
  assert.equal(intents(events).length, 1);
  assert.equal(events.filter(({ type }) => type === "policy.decided").length, 2, "policy is asked again");
  assert.deepEqual(refusals(events), ["APPROVAL_MISMATCH"]);
  assert.deepEqual(refusals(await operator.events(other)), ["APPROVAL_NOT_FOUND"]);
  assert.deepEqual(intents(await operator.events(other)), []);
  await operator.act(other, "cancel");
});

test("of two approvers at once one is it; one who denies ends it", async () => {
  const id = await operator.start(release);
  const { approval_id, action_digest } = await operator.approvalOf(id);
  const body = { approval_id, action_digest };
  const answers = await Promise.all([approver.act(id, "approve", body), approver.act(id, "approve", body)]);
  assert.equal(answers.filter(({ status }) => status === 200).length, 1, answers.map(({ text }) => text).join("\n"));
  await operator.reached(id, "completed");
  assert.equal(intents(await operator.events(id)).length, 1);

  const denied = await operator.start(release);
  const asked = await operator.approvalOf(denied);
  const no = { approval_id: asked.approval_id, action_digest: asked.action_digest, reason: "not now" };
  assert.equal((await approver.act(denied, "deny", no)).status, 200);
  const ended = await operator.reached(denied, "denied");
  assert.equal(ended.error?.code, "APPROVAL_DENIED");
  assert.deepEqual(intents(await operator.events(denied)), []);
});

test("who asked does not approve, nor who has another role, nor somebody of another tenant", async () => {
  demand({ kind: "require_approval", role: "admin" });
  const id = await admin.start(release);
  const { approval_id, action_digest } = await admin.approvalOf(id);
  const body = { approval_id, action_digest };
  const own = await admin.act(id, "approve", body);
  assert.deepEqual([own.status, own.body.code], [403, "OWN_REQUEST"]);
  const role = await approver.act(id, "approve", body);
  assert.deepEqual([role.status, role.body.code], [403, "FORBIDDEN"]);
  const right = await operator.act(id, "approve", body);
  assert.deepEqual([right.status, right.body.code], [403, "FORBIDDEN"]);
  const foreign = await (await personAt(door.api, "tenant-acme", "user-acme")).act(id, "approve", body);
  assert.equal(foreign.status, 403);
  assert.equal((await stranger.act(id, "cancel")).status, 404);
  const events = await admin.events(id);
  assert.deepEqual(refusals(events), ["OWN_REQUEST", "FORBIDDEN"]);
  assert.deepEqual(intents(events), []);
  policy.fault = { kind: "pass" };
  await admin.act(id, "cancel");
});

test("one that nobody gives in time is a denial, and comes too late after it", async () => {
  demand({ kind: "require_approval", role: "approver", expires_in_seconds: 2 });
  const id = await operator.start(release, { mode: "interactive" });
  const { approval_id, action_digest } = await operator.approvalOf(id);
  const idle = await operator.reached(id, "waiting_input");
  assert.equal(idle.turn_failure?.code, "APPROVAL_EXPIRED");
  policy.fault = { kind: "pass" };
  const late = await approver.act(id, "approve", { approval_id, action_digest });
  assert.deepEqual([late.status, late.body.code], [404, "APPROVAL_NOT_FOUND"]);
  const events = await operator.events(id);
  assert.deepEqual(
    events.filter(({ type }) => type.startsWith("approval.")).map(({ type }) => type),
    ["approval.requested", "approval.expired"],
  );
  assert.deepEqual(intents(events), []);
  assert.deepEqual(refusals(events), ["APPROVAL_NOT_FOUND"]);
  await operator.act(id, "terminate");
});

test("two people are asked where policy wants two", async () => {
  demand({ kind: "require_approval", role: "approver", quorum: 2 });
  const id = await operator.start(release);
  const { approval_id, action_digest, quorum } = await operator.approvalOf(id);
  assert.equal(quorum, 2);
  const body = { approval_id, action_digest };
  assert.equal((await approver.act(id, "approve", body)).body.status, "waiting_approval");
  const again = await approver.act(id, "approve", body);
  assert.deepEqual([again.status, again.body.code], [409, "APPROVAL_CLOSED"]);
  assert.deepEqual(intents(await operator.events(id)), []);
  policy.fault = { kind: "pass" };
  await operator.act(id, "cancel");
});

test("after a cancellation an approval does nothing, and the tenant's ledger tells that somebody tried", async () => {
  const id = await operator.start(release);
  const { approval_id, action_digest } = await operator.approvalOf(id);
  assert.equal((await operator.act(id, "cancel")).status, 202);
  await operator.reached(id, "canceled");
  const late = await approver.act(id, "approve", { approval_id, action_digest });
  assert.deepEqual([late.status, late.body.code], [409, "ACTION_NOT_ALLOWED"]);
  const unknown = await approver.act("sess-that-never-was", "approve", { approval_id, action_digest });
  assert.equal(unknown.status, 404);
  const events = await operator.events(id);
  assert.deepEqual(intents(events), []);
  assert.equal(events.filter(({ type }) => type === "approval.voided").length, 1);
  await until(
    "both attempts stand in the tenant's ledger",
    async () => {
      const { body } = await door.api.request<TenantEventPage>("GET", "/v1/tenants/tenant-demo/events?limit=1000", {
        headers: admin.headers,
      });
      const counts = body.events.filter(({ data }) => data["reason"] === "approval").map(({ data }) => data["count"]);
      return counts.reduce<number>((sum, count) => sum + Number(count), 0) >= 2 ? true : undefined;
    },
    30_000,
  );
});
