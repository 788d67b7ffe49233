import assert from "node:assert/strict";
import { test } from "node:test";
import { causeCodes, SessionDiagnosis } from "@soma/contracts/diagnosis";
import { Value } from "typebox/value";
import { eventContext } from "../../src/activities/step-events.ts";
import { diagnoseSession } from "../../src/diagnosis/diagnose-session.ts";
import { findCauses } from "../../src/diagnosis/find-causes.ts";
import type { Facts } from "../../src/diagnosis/facts.ts";
import type { Inspection } from "../../src/temporal/session-inspector.ts";
import { createSessionDeps } from "../harness/session-deps.ts";
import { openSession, readRow } from "../harness/sessions.ts";
import { stepEvents, unavailableEvent } from "../ledger/sample-events.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

const polled = { lately: true, last: new Date() };
/** A workflow that runs, of which nothing is pending. */
const idle: Inspection = {
  running: true,
  cancelRequested: false,
  historyEvents: 12,
  activities: [],
  polled: { workflow: polled, activity: polled },
  backlog: 0,
};

async function openWorld() {
  const store = await openTemporaryLedger();
  const { deps, ...link } = createSessionDeps(store.ledger);
  const row = await openSession(store.ledger, { budget: { tokens: 10 } });
  const factsOf = async (more: Partial<Facts>): Promise<Facts> => ({
    now: new Date(Date.now() + 60_000),
    row: await readRow(store.ledger, row),
    events: [],
    outages: [],
    workflow: idle,
    ...more,
  });
  return {
    ledger: store.ledger,
    row,
    deps,
    codes: async (more: Partial<Facts> = {}) => findCauses(await factsOf(more)).map(({ code }) => code),
    factsOf,
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

test("a budget that ran out says what the next step needs, also while Temporal cannot be asked", async () => {
  await using world = await openWorld();
  const { ledger, row, deps } = world;
  const [decided] = stepEvents(row, "completion-1");
  assert.ok(decided);
  const exhausted = { step: "completion-1", dimension: "tokens", limit: 10, used: 3, needed: 9 } as const;
  await ledger.append([
    { ...decided, ...eventContext(row) },
    { ...eventContext(row), type: "budget.exhausted", key: "b", data: exhausted },
  ]);
  const diagnosis = await diagnoseSession(deps, await readRow(ledger, row), new Date());
  assert.ok(Value.Check(SessionDiagnosis, diagnosis), JSON.stringify(diagnosis));
  assert.deepEqual(
    diagnosis.not_asked.map(({ dependency }) => dependency),
    ["temporal"],
  );
  const [cause, ...others] = diagnosis.causes;
  assert.equal(cause?.code, "waiting_budget");
  assert.ok(cause.since);
  assert.deepEqual(
    [cause.details?.["dimension"], cause.details?.["needed"], cause.details?.["limit"]],
    ["tokens", 9, 10],
  );
  assert.match(cause.would_move, /extend-budget/);
  assert.deepEqual(
    others.map(({ code }) => code),
    ["dependency_down"],
  );
});

test("an activity that nobody begins and a workflow task that waits are in a queue; just on their way they are not", async () => {
  await using world = await openWorld();
  const { now } = await world.factsOf({});
  const since = new Date(now.getTime() - 3_000);
  const activity = { activity: "run-slm-completion", state: "scheduled", attempt: 1, scheduledAt: since } as const;
  const queued = findCauses(await world.factsOf({ now, workflow: { ...idle, activities: [activity], backlog: 7 } }));
  assert.deepEqual(
    queued.map(({ code, since: from, details }) => [code, from, details?.["backlog"]]),
    [["queued", since.toISOString(), 7]],
  );
  const task = { started: false, attempt: 1, since };
  assert.deepEqual(await world.codes({ now, workflow: { ...idle, task } }), ["queued"]);
  const onItsWay = { ...idle, task: { ...task, since: new Date(now.getTime() - 2_999) } };
  assert.deepEqual(await world.codes({ now, workflow: onItsWay }), ["moving"]);
});

test("nothing pending and nothing said for long is unknown; said just now, it goes on", async () => {
  await using world = await openWorld();
  assert.deepEqual(await world.codes(), ["unknown"]);
  assert.deepEqual(await world.codes({ now: new Date() }), ["moving"]);
});

test("what is down stands before what follows from it, and each outage once", async () => {
  await using world = await openWorld();
  const { ledger, row } = world;
  await ledger.append([{ ...unavailableEvent(row, "away"), ...eventContext(row) }]);
  const gone = { ...idle, polled: { workflow: { lately: false }, activity: { lately: false } } };
  const outages = [{ name: "slm" as const, since: new Date() }, { name: "kafka" as const }];
  assert.deepEqual(await world.codes({ workflow: gone, outages }), ["dependency_down", "no_worker", "no_worker"]);
});

test("the codes are these", () => {
  assert.deepEqual(causeCodes, [
    "ended",
    "canceling",
    "tenant_suspended",
    "paused",
    "waiting_approval",
    "waiting_budget",
    "dependency_down",
    "quota",
    "no_workflow",
    "no_worker",
    "retrying",
    "queued",
    "waiting_input",
    "moving",
    "unknown",
  ]);
});
