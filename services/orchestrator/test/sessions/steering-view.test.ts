import assert from "node:assert/strict";
import { test } from "node:test";
import type { NewEvent } from "@soma/contracts/audit";
import { actionsNow, viewTurns } from "../../src/sessions/steering-view.ts";
import { MemoryLedger } from "../ledger/memory-ledger.ts";
import { steeredCreated, steeredTold } from "../ledger/steered-session.ts";

const begin = steeredTold.slice(1, 10);
const [ended, asked, received, started] = steeredTold.slice(10, 14);
assert.ok(ended?.type === "turn.ended" && asked && received?.type === "message.received" && started);

/** What a session that has had its first answer shows after each of these events. */
function shown(...told: readonly NewEvent[]): readonly unknown[] {
  const ledger = new MemoryLedger(steeredCreated);
  for (const event of begin) ledger.append(event);
  return told.map((event) => {
    ledger.append(event);
    const { turn, messages_waiting } = viewTurns(ledger.row.turns);
    return [event.type, ledger.row.status, turn, messages_waiting];
  });
}

test("a session waits for input until somebody says something", () => {
  assert.deepEqual(shown(ended, asked, received, started), [
    ["turn.ended", "waiting_input", 1, 0],
    ["action.decided", "waiting_input", 1, 0],
    ["message.received", "running", 2, 1],
    ["turn.started", "running", 2, 0],
  ]);
});

test("a session does not wait for input when its next message came before its answer", () => {
  assert.deepEqual(shown(asked, received, ended, started), [
    ["action.decided", "running", 1, 0],
    ["message.received", "running", 1, 1],
    ["turn.ended", "running", 2, 1],
    ["turn.started", "running", 2, 0],
  ]);
});

test("a turn that failed is offered again until the next message comes, and its failure is shown as long", () => {
  const ledger = new MemoryLedger(steeredCreated);
  const data = { turn: 1, outcome: "failed", step: "completion-1", code: "MODEL_UNAVAILABLE" } as const;
  for (const event of [...begin, { ...ended, data }]) ledger.append(event);
  assert.equal(viewTurns(ledger.row.turns).turn_failure?.code, "MODEL_UNAVAILABLE");
  assert.ok(actionsNow(ledger.row).includes("retry"));
  for (const event of [asked, received]) ledger.append(event);
  assert.equal(viewTurns(ledger.row.turns).turn_failure, undefined);
  assert.ok(!actionsNow(ledger.row).includes("retry"));
});
