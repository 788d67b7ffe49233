import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { AuditEvent, EventPage } from "@soma/contracts/audit";
import type { Problem } from "@soma/contracts/problem";
import type { SessionView } from "@soma/contracts/session";
import { demoSession } from "../harness/api.ts";
import { openDoor, type Door } from "../harness/door.ts";
import { tokenOf } from "../harness/tokens.ts";
import { until } from "../harness/until.ts";

const cleanUps: (() => Promise<void>)[] = [];
let door: Door;
let operator: Record<string, string>;
let approver: Record<string, string>;

before(async () => {
  door = await openDoor({ after: (clean) => void cleanUps.unshift(clean) });
  operator = { authorization: `Bearer ${await tokenOf("tenant-demo", "user-demo")}` };
  approver = { authorization: `Bearer ${await tokenOf("tenant-demo", "approver-demo")}` };
});
after(async () => {
  for (const clean of cleanUps) await clean();
});

async function start(prompt: string, more: Record<string, unknown> = {}): Promise<string> {
  const body = demoSession(prompt, { mode: "interactive", ...more });
  await door.api.start(body, operator);
  return body.metadata.session_id;
}

const view = async (id: string): Promise<SessionView> =>
  (await door.api.request<SessionView>("GET", `/v1/sessions/${id}`, { headers: operator })).body;
const events = async (id: string): Promise<AuditEvent[]> =>
  (await door.api.request<EventPage>("GET", `/v1/sessions/${id}/events?limit=1000`, { headers: operator })).body.events;
/** A session, or a problem that says why not. */
type Answered = Partial<SessionView> & Partial<Omit<Problem, "status" | "errors">>;
const act = (id: string, action: string, body: unknown, headers = operator) =>
  door.api.request<Answered>("POST", `/v1/sessions/${id}/actions/${action}`, { body, headers });
const reached = (id: string, status: string, turn?: number): Promise<SessionView> =>
  until(
    `${id} is ${status}`,
    async () => {
      const now = await view(id);
      return now.status === status && (turn === undefined || now.turn === turn) ? now : undefined;
    },
    60_000,
  );

test("a conversation stays open, takes messages, and completes after a final one", async () => {
  const id = await start("Say hello.");
  const first = await reached(id, "waiting_input", 1);
  assert.ok(first.result);
  assert.deepEqual(first.actions, ["message", "pause", "cancel", "terminate"]);
  const said = await act(id, "message", { text: "And goodbye." }, { ...operator, "idempotency-key": "second" });
  assert.equal(said.status, 200, said.text);
  assert.equal(said.body.accepted?.turn, 2);
  const again = await act(id, "message", { text: "And goodbye." }, { ...operator, "idempotency-key": "second" });
  assert.deepEqual([again.status, again.body.accepted], [200, said.body.accepted]);
  const other = await act(id, "message", { text: "Something else." }, { ...operator, "idempotency-key": "second" });
  assert.deepEqual([other.status, other.body.code], [422, "IDEMPOTENCY_KEY_REUSED"]);
  await reached(id, "waiting_input", 2);
  const last = await act(id, "message", { text: "Thank you.", final: true });
  assert.equal(last.status, 200, last.text);
  const ended = await reached(id, "completed");
  assert.equal(ended.turn, 3);
  const types = (await events(id)).map(({ type }) => type);
  assert.equal(types.filter((type) => type === "effect.completed").length, 3);
  assert.equal(types.filter((type) => type === "message.received").length, 2);
  const late = await act(id, "message", { text: "One more." });
  assert.deepEqual([late.status, late.body.code], [409, "ACTION_NOT_ALLOWED"]);
});

test("what policy wants approved waits for an approver who is not who asked, and runs once", async () => {
  const id = await start("Write one line about the release to our customers.");
  const waiting = await reached(id, "waiting_approval");
  const [approval] = waiting.approvals ?? [];
  assert.ok(approval);
  assert.equal(approval.role, "approver");
  assert.equal(approval.requested_by, "user-demo");
  const { approval_id, action_digest } = approval;
  const own = await act(id, "approve", { approval_id, action_digest });
  assert.equal(own.status, 403);
  const wrong = await act(id, "approve", { approval_id, action_digest: `sha256:${"0".repeat(64)}` }, approver);
  assert.deepEqual([wrong.status, wrong.body.code], [409, "APPROVAL_MISMATCH"]);
  const given = await act(id, "approve", { approval_id, action_digest }, approver);
  assert.equal(given.status, 200, given.text);
  const twice = await act(id, "approve", { approval_id, action_digest }, approver);
  assert.ok(["APPROVAL_CLOSED", "APPROVAL_NOT_FOUND"].includes(twice.body.code ?? ""), twice.text);
  await reached(id, "waiting_input", 1);
  const all = await events(id);
  const intents = all.filter(({ type }) => type === "effect.intended");
  assert.deepEqual(
    intents.map(({ data }) => data["approval_id"]),
    [approval_id],
  );
  assert.equal(all.filter(({ type }) => type === "action.refused").length, 2);
});

test("pause holds the next turn, resume lets it go; a busy session says so, enqueues, interrupts and rolls back", async () => {
  const id = await start("Write a very long story about a lighthouse keeper, with many chapters.");
  const busy = await act(id, "message", { text: "Stop." });
  assert.deepEqual([busy.status, busy.body.code], [409, "SESSION_BUSY"]);
  const queued = await act(id, "message", { text: "Say one word.", busy: "interrupt" });
  assert.equal(queued.status, 200, queued.text);
  await reached(id, "waiting_input", 2);
  const paused = await act(id, "pause", {});
  assert.equal(paused.body.status, "paused", paused.text);
  const held = await act(id, "message", { text: "Hello?" });
  assert.deepEqual([held.status, held.body.code], [409, "ACTION_NOT_ALLOWED"]);
  assert.match(held.body.detail ?? "", /resume/);
  const resumed = await act(id, "resume", {});
  assert.equal(resumed.body.status, "waiting_input", resumed.text);
  const gone = await act(id, "terminate", { reason: "enough" });
  assert.equal(gone.status, 202, gone.text);
  assert.equal((await view(id)).error?.code, "SESSION_TERMINATED");
  const outcomes = (await events(id)).filter(({ type }) => type === "turn.ended").map(({ data }) => data["outcome"]);
  assert.deepEqual(outcomes, ["interrupted", "answered"]);
});
