import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { workflowIdPrefix } from "@soma/contracts/wire-names";
import { personAt } from "../harness/conversation.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { freePort, startTemporal } from "../harness/temporal-process.ts";
import { until } from "../harness/until.ts";

/** `make test-long` has a thousand, on a server as it comes; here few, on one that wants short histories. */
const turns = Number(process.env["CONVERSATION_TURNS"] ?? 14);
const short = [
  "limit.historyCount.suggestContinueAsNew=60",
  'history.workflowIdReuseMinimalInterval="1ms"',
  "history.transferProcessorMaxPollRPS=2000",
];
const usual = short.slice(1);

interface Run {
  readonly runId: string;
  readonly events: number;
  readonly bytes: number;
}

test("a conversation goes on in new histories, loses nothing, and costs as much at its end as at its beginning", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "soma-temporal-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  startTemporal(t, port, folder, turns < 100 ? short : usual);
  const address = `127.0.0.1:${String(port)}`;
  const { api } = await startOrchestrator(t, { env: { AUTH_MODE: "required", TEMPORAL_HOST: address } });
  const person = await personAt(api, "tenant-demo", "user-demo");
  const messages = [{ role: "user", content: "Say a word." }];
  const sampling = { temperature: 0, max_tokens: 4 };
  const id = await until("Temporal is there", async () => {
    try {
      return await person.start("", { prompt: undefined, mode: "interactive", messages, sampling });
    } catch {
      return undefined;
    }
  });
  await person.reached(id, "waiting_input", 1);
  const connection = await Connection.connect({ address });
  t.after(() => connection.close());
  const client = new Client({ connection });
  const runs = new Map<string, Run>();
  const looked: { readonly turn: number; readonly bytes: number }[] = [];
  for (let turn = 2; turn <= turns; turn += 1) {
    const body = { text: `Say word ${String(turn)}.`, final: turn === turns };
    const said = await person.act(id, "message", body, { "idempotency-key": `turn-${String(turn)}` });
    assert.deepEqual([said.status, said.body.accepted?.turn], [200, turn], said.text);
    await person.reached(id, turn === turns ? "completed" : "waiting_input", turn);
    if (turn % Math.ceil(turns / 14) !== 0) continue;
    const { runId, historyLength, historySize = 0 } = await client.workflow.getHandle(workflowIdPrefix + id).describe();
    runs.set(runId, { runId, events: historyLength, bytes: historySize });
    looked.push({ turn, bytes: [...runs.values()].reduce((sum, { bytes }) => sum + bytes, 0) });
  }
  const repeated = await person.act(
    id,
    "message",
    { text: "Say word 2.", final: false },
    { "idempotency-key": "turn-2" },
  );
  // What happened in an earlier history has happened.
  assert.deepEqual([repeated.status, repeated.body.accepted?.turn], [200, 2], repeated.text);
  assert.ok(runs.size >= 2, `${String(runs.size)} histories`);
  const { turn } = await person.view(id);
  assert.equal(turn, turns);
  const completed = (await person.events(id)).filter(({ type }) => type === "effect.completed").length;
  assert.equal(completed, Math.min(turns, completed));
  const [half, end] = [looked[Math.floor(looked.length / 2) - 1], looked.at(-1)];
  assert.ok(half && end);
  const [before, after] = [half.bytes / half.turn, end.bytes / end.turn];
  const told = `${before.toFixed(0)} bytes of history a turn after ${String(half.turn)} turns, ${after.toFixed(0)} after ${String(end.turn)}`;
  process.stdout.write(`${told}, in ${String(runs.size)} histories\n`);
  // A transcript that is carried along would double it.
  assert.ok(after < before * 1.35, told);
});
