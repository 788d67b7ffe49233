/**
 * Sessions of random commands with faults between, a thousand of them. What fast-check prints on a failure,
 * { seed: …, path: "…" }, brings it back:
 *
 *   FC_SEED=<seed> FC_PATH=<path> node --test services/orchestrator/test/ledger/session-machine.test.ts
 */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { AuditEvent, EventData, NewEvent } from "@soma/contracts/audit";
import { isTerminal, sessionActions, type SessionAction } from "@soma/contracts/session";
import { maxQueuedMessages } from "@soma/contracts/session-action";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import * as fc from "fast-check";
import { verify } from "../../../../scripts/soma-verify.ts";
import { isGranted, openOf } from "../../src/ledger/session-approvals.ts";
import { extend, reservedTotal } from "../../src/ledger/session-budget.ts";
import { projectSession } from "../../src/ledger/session-projection.ts";
import type { SessionProjection, SessionRow } from "../../src/ledger/session-row.ts";
import { actionsNow } from "../../src/sessions/steering-view.ts";
import { MemoryLedger } from "./memory-ledger.ts";
import { writer } from "./sample-events.ts";
import { anyOpening, anyStory, opening, Session, type Command } from "./session-commands.ts";
import { steered, userId } from "./steered-session.ts";

const { FC_SEED, FC_PATH } = process.env;

/** Seen over all runs: a property of sessions in which nothing happens would say nothing. */
const seen = new Map<string, number>();

test("what a session's events make of it holds whatever comes, fails, is repeated or overtaken", (context: TestContext) => {
  const seed = FC_SEED === undefined ? Date.now() % 2 ** 31 : Number(FC_SEED);
  context.diagnostic(`seed ${String(seed)}`);
  fc.assert(
    fc.property(anyOpening, anyStory, (begin, commands) => {
      const ledger = new MemoryLedger(opening(begin));
      run(ledger, commands);
      assertReplays(ledger);
      assertVerified(ledger.events);
    }),
    { seed, numRuns: 1_000, ...(FC_PATH !== undefined && { path: FC_PATH }) },
  );
  context.diagnostic([...seen].map((pair) => pair.join(" ")).join(", "));
  if (FC_PATH !== undefined) return;
  for (const type of ["effect.intended with approval", "waiting_budget", "paused", "turn.started", "BUDGET_EXCEEDED"])
    assert.ok((seen.get(type) ?? 0) > 20, `${type}: ${String(seen.get(type) ?? 0)} in 1,000 runs`);
});

function run(ledger: MemoryLedger, commands: readonly Command[]): void {
  const session = new Session(ledger);
  let held: readonly NewEvent[] = [];
  for (const command of commands) {
    const before = ledger.row;
    const events = session.events(command);
    const late = held;
    held = command.fault === "held" ? events : [];
    const now = command.fault === "held" ? [] : command.fault === "twice" ? [...events, ...events] : events;
    for (const event of [...now, ...late]) append(ledger, event);
    if (command.fault === "crash") {
      const live = ledger.row;
      ledger.replay();
      assert.deepEqual(ledger.row, live, "a replay is what was live");
    }
    if (ledger.row !== before) assertActions(ledger);
  }
}

function append(ledger: MemoryLedger, event: NewEvent): void {
  const before = ledger.row;
  const known = ledger.events.length;
  try {
    ledger.append(event);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    count(error.code);
    assert.equal(ledger.row, before, "what is refused changes nothing");
    assert.equal(ledger.events.length, known);
    return;
  }
  if (ledger.events.length === known) {
    assert.equal(ledger.row, before, "what is said again changes nothing");
    return;
  }
  count(
    event.type === "effect.intended" && event.data.approval_id !== undefined
      ? `${event.type} with approval`
      : event.type,
  );
  count(ledger.row.status);
  assertStep(before, ledger.row, event);
}

function count(name: string): void {
  seen.set(name, (seen.get(name) ?? 0) + 1);
}

/** What must hold of each event that was appended. */
function assertStep(before: SessionRow, after: SessionRow, event: NewEvent): void {
  assert.ok(!isTerminal(before.status), `${event.type} after ${before.status}`);
  if (event.type === "effect.intended") {
    assert.notEqual(before.status, "paused");
    assert.notEqual(before.cancel_requested, true);
    assertApproved(before, event.data);
  }
  const phase = after.paused?.resumes_to ?? after.status;
  assert.equal(openOf(after.approvals ?? []).length > 0, phase === "waiting_approval", `${event.type}: ${phase}`);
  const { budget } = after;
  if (budget === undefined) return;
  const reserved = reservedTotal(budget);
  for (const name of ["tokens", "cost_micros"] as const)
    assert.ok(budget.spent[name] + reserved[name] <= (budget.limit[name] ?? Infinity), `${name} after ${event.type}`);
  assert.ok(budget.spent.steps <= (budget.limit.steps ?? Infinity), `steps after ${event.type}`);
  if (isTerminal(after.status)) assert.deepEqual(reserved, { tokens: 0, cost_micros: 0 }, "an end sets nothing aside");
}

function assertApproved(before: SessionRow, intent: EventData<"effect.intended">): void {
  if (intent.approval_id === undefined) return;
  const approval = before.approvals?.find(({ approval_id }) => approval_id === intent.approval_id);
  assert.ok(approval !== undefined && isGranted(approval), "an effect without its approval");
  assert.deepEqual(
    [approval.effect_key, approval.action_digest],
    [intent.effect_key, intent.action_digest],
    "an approval of something else",
  );
}

/** The projection thrown away after any event, and made anew: what every store would hold there. */
function assertReplays({ events, rows }: MemoryLedger): void {
  let row: SessionProjection | undefined;
  for (const [index, event] of events.entries()) {
    row = projectSession(row, event);
    assert.deepEqual({ ...row, workflow_id: "w" }, rows[index]);
  }
}

/** What the projection promises by itself; permits and activities see to the other checks. */
const promised = new Set("shape session sequence hash chain id approval action budget state end".split(" "));

/** The verifier has its own table, its own arithmetic and its own rules of approvals. */
function assertVerified(events: readonly AuditEvent[]): void {
  const found = verify(JSON.stringify(events)).violations.filter(({ check }) => promised.has(check));
  assert.deepEqual(found, []);
  const uses = events.flatMap(({ type, data }) => (type === "effect.intended" ? (data["approval_id"] ?? []) : []));
  assert.equal(new Set(uses).size, uses.length, "an approval let two effects through");
}

/** An action is offered when the ledger would take it, and no other is. */
function assertActions(ledger: MemoryLedger): void {
  const { row } = ledger;
  const allowed = actionsNow(row);
  for (const action of sessionActions) {
    const taken = isTaken(ledger, row, action);
    const isFull = action === "message" && (row.turns?.waiting.length ?? 0) >= maxQueuedMessages;
    if (allowed.includes(action)) assert.ok(taken || isFull, `${action} is offered and refused: ${row.status}`);
    // Nobody is offered anything but the end once it was asked for; what of it came before is taken.
    else if (row.cancel_requested !== true) assert.ok(!taken, `${action} is taken and not offered: ${row.status}`);
  }
}

function isTaken(ledger: MemoryLedger, row: SessionRow, action: SessionAction): boolean {
  try {
    const [approval] = openOf(row.approvals ?? []);
    // Whether there is still time for it is no matter of the state.
    const now = approval === undefined ? ledger.now : Date.parse(approval.expires_at) - 1;
    ledger.tried(trial(row, action), now);
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}

/** The event that carries an action out, done right in all that is not the session's state. */
function trial(row: SessionRow, action: SessionAction): NewEvent {
  const base = { ...writer(steered), key: "trial" };
  const [action_id, by] = [`act_${"f".repeat(32)}`, userId("user-9")];
  const [approval] = openOf(row.approvals ?? []);
  const { approval_id = `apr_${"f".repeat(32)}`, action_digest = sha256("none") } = approval ?? {};
  const step = "completion-1";
  switch (action) {
    case "message":
      return {
        ...base,
        type: "message.received",
        data: { action_id, by, message_digest: sha256("m"), busy: "enqueue" },
      };
    case "approve":
      return { ...base, type: "approval.granted", data: { approval_id, action_id, by, action_digest } };
    case "deny":
      return { ...base, type: "approval.denied", data: { approval_id, action_id, by, action_digest } };
    case "pause":
      return { ...base, type: "session.paused", data: { step, reason: "requested", action_id, by } };
    case "resume":
      return { ...base, type: "session.resumed", data: { step, reason: "requested", action_id, by } };
    case "cancel":
      return { ...base, type: "session.cancel_requested", data: { by } };
    case "terminate":
      return { ...base, type: "session.canceled", data: {} };
    case "retry":
      return { ...base, type: "turn.started", data: { turn: row.turns?.turn ?? 1, message_digest: row.prompt_digest } };
    case "extend-budget": {
      const added = { tokens: 1 };
      const limit = row.budget === undefined ? added : extend(row.budget, added).limit;
      return { ...base, type: "budget.extended", data: { action_id, by, added, limit } };
    }
  }
}
