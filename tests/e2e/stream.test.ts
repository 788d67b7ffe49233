import assert from "node:assert/strict";
import { test } from "node:test";
import { apiOf, demoSession } from "../harness/api.ts";
import { readStream } from "../harness/event-stream.ts";
import { startOrchestrator } from "../harness/orchestrator-process.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const stack = stackUnderTest();
const api = apiOf(stack.urls.orchestrator);

test("a stream gives every event in order, the answer's text as it is made, and ends with the session", async () => {
  const session = demoSession("Explain in a few sentences what an event ledger is good for.");
  const id = session.metadata.session_id;
  await api.start(session);
  const ids: number[] = [];
  let text = "";
  let pieces = 0;
  for await (const event of readStream(`${api.url}/v1/sessions/${id}/events`)) {
    if (event.event === "delta") {
      const delta: { offset: number; text: string } = JSON.parse(event.data);
      assert.equal(delta.offset, text.length);
      assert.equal(event.id, undefined);
      text += delta.text;
      pieces += 1;
    } else ids.push(Number(event.id));
  }
  const view = await api.view(id);
  assert.equal(view.status, "completed");
  assert.deepEqual(
    ids,
    Array.from({ length: view.last_seq }, (_, index) => index + 1),
  );
  assert.ok(pieces > 3, `${String(pieces)} pieces`);
  assert.equal(text, view.result?.text);
});

test("a reader resumes after any event by Last-Event-ID, also after the session's end", async () => {
  const session = demoSession("Say yes.");
  const id = session.metadata.session_id;
  await api.start(session);
  const view = await api.ended(id);
  const all = await api.events(id);
  for (let after = 0; after <= all.length; after += 1) {
    const seen: string[] = [];
    let text = "";
    for await (const event of readStream(`${api.url}/v1/sessions/${id}/events`, { "last-event-id": String(after) }))
      if (event.event === "delta") text += textOf(event.data);
      else seen.push(event.data);
    const isBeforeItsEnd = all.findIndex(({ type }) => type === "effect.completed") >= after;
    assert.equal(text, isBeforeItsEnd ? view.result?.text : "");
    assert.deepEqual(
      seen.map((data) => JSON.parse(data)),
      all.slice(after),
    );
  }
});

test("pages follow one another without gap", async () => {
  const session = demoSession("Say no.");
  const id = session.metadata.session_id;
  await api.start(session);
  await api.ended(id);
  const joined = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: { events: { sequence: number }[]; next_after?: number } = (
      await api.request<never>("GET", `/v1/sessions/${id}/events?after=${String(after)}&limit=2`)
    ).body;
    joined.push(...page.events);
    after = page.next_after;
  }
  assert.deepEqual(joined, await api.events(id));
});

test("a stream of a separate API shows what a separate worker does", async (context) => {
  const first = await startOrchestrator(context, { entry: "main-api" });
  const { taskQueue, dataDir } = first;
  const worker = await startOrchestrator(context, { entry: "main-worker", args: ["--task-queue", taskQueue], dataDir });
  const session = demoSession("Say maybe.");
  await first.api.start(session);
  const types: string[] = [];
  let text = "";
  for await (const event of readStream(`${first.api.url}/v1/sessions/${session.metadata.session_id}/events`))
    if (event.event === "delta") text += textOf(event.data);
    else types.push(event.event);
  assert.equal(text, (await first.api.view(session.metadata.session_id)).result?.text);
  assert.deepEqual(types, [
    "session.created",
    "policy.decided",
    "token.issued",
    "effect.intended",
    "effect.completed",
    "session.completed",
  ]);
  assert.equal(await worker.stop(), 0);
  assert.equal(await first.stop(), 0);
});

function textOf(data: string): string {
  const delta: { readonly text: string } = JSON.parse(data);
  return delta.text;
}
