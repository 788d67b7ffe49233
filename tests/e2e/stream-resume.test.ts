import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { demoSession, type Api } from "../harness/api.ts";
import { readStream, type StreamEvent } from "../harness/event-stream.ts";
import { Held } from "../harness/held-stream.ts";
import { startOrchestrator, type OrchestratorProcess } from "../harness/orchestrator-process.ts";
import type { Owner } from "../harness/service-process.ts";

/** Eight events each, and six or so of the first turn: 200 in all. */
const furtherTurns = 24;
const killEvery = 10;
/** Within a text: so that a reader comes back in the middle of one, too. */
const leaveAfterDeltas = 3;

/** Speaks on until all is said; the session takes a bounded number of messages at once. */
async function speak(api: Api, id: string): Promise<void> {
  for (let turn = 1; turn <= furtherTurns;) {
    const body = {
      text: `Name a city, the ${String(turn)}th.`,
      busy: "enqueue",
      ...(turn === furtherTurns && { final: true }),
    };
    const { status, text } = await api.request("POST", `/v1/sessions/${id}/actions/message`, { body });
    if (status === 200) turn += 1;
    else {
      assert.ok([409, 429].includes(status), text);
      await sleep(300);
    }
  }
}

/** API processes that stream, one ready while the other is read from. */
function spareApis(owner: Owner, { taskQueue, dataDir }: OrchestratorProcess): () => Promise<OrchestratorProcess> {
  const start = (): Promise<OrchestratorProcess> =>
    startOrchestrator(owner, { entry: "main-api", dataDir, env: { TEMPORAL_TASK_QUEUE: taskQueue } });
  let next = start();
  return async () => {
    const ready = await next;
    next = start();
    next.catch(() => undefined);
    return ready;
  };
}

test(
  "a conversation of 200 events, read with a reconnect at every event and within texts, its API killed at every tenth",
  { timeout: 200_000 },
  async (context) => {
    const door = await startOrchestrator(context, { entry: "main-api" });
    const { api, taskQueue, dataDir } = door;
    await startOrchestrator(context, { entry: "main-worker", args: ["--task-queue", taskQueue], dataDir });
    const session = demoSession("", {
      prompt: undefined,
      mode: "interactive",
      messages: [{ role: "user", content: "Name a city." }],
      sampling: { max_tokens: 24, temperature: 0 },
    });
    const id = session.metadata.session_id;
    await api.start(session);
    const speaking = speak(api, id);
    const take = spareApis(context, door);
    const held = new Held();
    let reading = await take();
    let kills = 0;
    let connections = 0;
    for (let ended = false; !ended;) {
      const { query, headers } = held.from();
      let killed = false;
      let deltas = 0;
      connections += 1;
      for await (const one of readStream(`${reading.api.url}/v1/sessions/${id}/events${query}`, headers)) {
        if (one.event === "delta") {
          held.takeDelta(JSON.parse(one.data));
          deltas += 1;
          if (deltas === leaveAfterDeltas) break;
          continue;
        }
        const event = held.takeEvent(one);
        ended = event.type === "session.completed";
        if (event.sequence % killEvery === 0) {
          reading.child.kill("SIGKILL");
          killed = true;
        }
        break;
      }
      if (!killed) continue;
      kills += 1;
      reading = await take();
    }
    await speaking;
    const recorded = await api.events(id);
    assert.deepEqual(held.events, recorded);
    assert.equal(recorded.filter(({ type }) => type === "effect.completed").length, furtherTurns + 1);
    assert.ok(recorded.length >= 190, `${String(recorded.length)} events`);
    assert.equal(kills, Math.floor(recorded.length / killEvery));
    context.diagnostic(
      `${String(recorded.length)} events and ${String(held.deltas)} deltas over ${String(connections)} connections, ${String(kills)} killed processes, resumed in a text ${String(held.resumedTexts)} times`,
    );
  },
);

test("a long text that a worker makes is read from one API process, and to its end from another", async (context) => {
  const first = await startOrchestrator(context, { entry: "main-api" });
  const { taskQueue, dataDir } = first;
  const env = { TEMPORAL_TASK_QUEUE: taskQueue };
  const second = await startOrchestrator(context, { entry: "main-api", dataDir, env });
  await startOrchestrator(context, { entry: "main-worker", args: ["--task-queue", taskQueue], dataDir });
  const session = demoSession("Explain in a few sentences what an event ledger is good for.");
  const id = session.metadata.session_id;
  await first.api.start(session);
  const held = new Held();
  const read = async (url: string, until: (one: StreamEvent) => boolean): Promise<void> => {
    const { query, headers } = held.from();
    for await (const one of readStream(`${url}/v1/sessions/${id}/events${query}`, headers)) {
      if (one.event === "delta") held.takeDelta(JSON.parse(one.data));
      else held.takeEvent(one);
      if (until(one)) return;
    }
  };
  await read(first.api.url, () => held.deltas === 2);
  assert.ok(!held.events.some(({ type }) => type === "effect.completed"), "read while it was made");
  first.child.kill("SIGKILL");
  await read(second.api.url, () => false);
  assert.deepEqual(held.events, await second.api.events(id));
  assert.equal(held.resumedTexts, 1);
});
