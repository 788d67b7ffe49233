import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { generationsOf } from "../harness/generations.ts";
import { personAt, type Person } from "../harness/conversation.ts";
import { startOrchestrator, type OrchestratorProcess } from "../harness/orchestrator-process.ts";
import type { Owner } from "../harness/service-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { told, tellConversation } from "../harness/told-conversation.ts";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A worker killed at an event of a conversation's history, and another that goes on. At every event with
 * KILL_AT=all (`make test-long` does it); at a few chosen by chance otherwise, or at those of KILL_AT=3,17.
 */
const chosen = process.env["KILL_AT"] ?? "";

const cleanUps: (() => Promise<void>)[] = [];
const owner: Owner = { after: (clean) => void cleanUps.unshift(clean) };
let door: OrchestratorProcess;
let worker: OrchestratorProcess;
let temporal: Client;
let operator: Person;

const startWorker = (): Promise<OrchestratorProcess> =>
  startOrchestrator(owner, { entry: "main-worker", args: ["--task-queue", door.taskQueue], dataDir: door.dataDir });

before(async () => {
  door = await startOrchestrator(owner, { entry: "main-api", env: { AUTH_MODE: "required" } });
  worker = await startWorker();
  const connection = await Connection.connect({ address: stackUnderTest().urls.temporal });
  owner.after(() => connection.close());
  temporal = new Client({ connection });
});
after(async () => {
  for (const clean of cleanUps) await clean();
});

const historyLength = async (id: string): Promise<number> =>
  (await temporal.workflow.getHandle(`session-${id}`).describe()).historyLength;

/** A conversation told from its start to its end, by people who have just logged in: all of them take longer than a login. */
async function tell(): Promise<string> {
  operator = await personAt(door.api, "tenant-demo", "user-demo");
  const approver = await personAt(door.api, "tenant-demo", "approver-demo");
  return tellConversation(operator, approver);
}

/** Kills the worker as soon as the newest session's history has come so far. Resolves with how far it had come. */
async function killAt(event: number, stop: AbortSignal): Promise<number> {
  const seen = new Set((await operator.sessions()).map(({ session_id }) => session_id));
  let id: string | undefined;
  while (!stop.aborted) {
    id ??= (await operator.sessions()).find(({ session_id }) => !seen.has(session_id))?.session_id;
    const length = id === undefined ? 0 : await historyLength(id).catch(() => 0);
    if (length >= event) {
      worker.child.kill("SIGKILL");
      worker = await startWorker();
      return length;
    }
    await sleep(2);
  }
  return 0;
}

test("a worker killed anywhere in a conversation changes nothing of what its ledger tells, and repeats no effect", async () => {
  const undisturbed = await tell();
  const expected = told(await operator.events(undisturbed));
  const length = await historyLength(undisturbed);
  assert.ok(length >= 40, `a history of ${String(length)} events`);
  const all = Array.from({ length: length - 1 }, (_, index) => index + 1);
  const events =
    chosen === "all"
      ? all
      : chosen === ""
        ? [randomInt(2, 12), randomInt(12, 30), randomInt(30, length - 4)]
        : chosen.split(",").map(Number);
  const fired: number[] = [];
  for (const event of events) {
    const over = new AbortController();
    const killed = killAt(event, over.signal);
    const id = await tell();
    over.abort();
    const at = await killed;
    if (at > 0) fired.push(at);
    const ledger = await operator.events(id);
    assert.deepEqual(told(ledger), expected, `killed at event ${String(event)} (seen at ${String(at)})`);
    const intended = new Set(
      ledger.filter(({ type }) => type === "effect.intended").map(({ data }) => data["effect_key"]),
    );
    for (const key of intended) assert.equal((await generationsOf(key)).length, 1, `killed at event ${String(event)}`);
  }
  // A run in which no fault fired proves nothing.
  assert.ok(
    fired.length > 0 && fired.length >= events.length - 3,
    `fired at ${fired.join(", ")} of ${events.join(", ")}`,
  );
  process.stdout.write(`killed at history events ${fired.join(", ")} of ${String(length)}\n`);
});
