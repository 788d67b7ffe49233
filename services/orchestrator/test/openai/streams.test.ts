import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import type { OpenaiError } from "@soma/contracts/openai";
import { eventContext } from "../../src/activities/step-events.ts";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { DeltaWriter } from "../../src/streams/delta-writer.ts";
import type { SessionRow } from "../../src/ledger/session-row.ts";
import { dataOf, startOpenaiApp, startedStep, usage, type OpenaiApp } from "./openai-app.ts";

const request = { model: "small", messages: [{ role: "user" as const, content: "hi" }] };
const step = "completion-1";
/** Characters of one, two, three and four bytes, line ends of every kind, and what would end an event. */
const text = 'Größe 🙂\n\ndata: [DONE]\r\n"日本"\u2028\u0085 end';
let world: OpenaiApp;

before(async () => {
  world = await startOpenaiApp();
});
after(() => world[Symbol.asyncDispose]());

interface Chunk {
  choices: { delta: { role?: string; content?: string }; finish_reason: string | null }[];
  usage?: unknown;
  model: string;
}
interface Told {
  type: string;
  sequence_number: number;
  delta?: string;
  text?: string;
  response?: { status: string; output: { content: { text: string }[] }[] };
}

async function chat(id: string, more: object = {}): Promise<Response> {
  return world.call("POST", "/v1/chat/completions", { ...request, stream: true, ...more }, { "idempotency-key": id });
}

async function toldAfter(id: string, startingAfter?: number): Promise<Told[]> {
  const from = startingAfter === undefined ? "" : `&starting_after=${String(startingAfter)}`;
  const answer = await world.call("GET", `/v1/responses/resp_${id}?stream=true${from}`);
  assert.equal(answer.status, 200);
  return (await dataOf(answer)).map((data): Told => JSON.parse(data));
}

/** Says something again and again until the reader is there to hear it; a repeated delta adds nothing. */
async function whileTold<Result>(asking: Promise<Result>, tell: () => void): Promise<Result> {
  const telling = setInterval(tell, 20);
  return asking.finally(() => {
    clearInterval(telling);
  });
}

const joined = (events: readonly Told[]): string => events.map(({ delta = "" }) => delta).join("");

/** A session whose step runs, with the deltas that this process sees of it. */
async function speaking(id: string): Promise<{ row: SessionRow; say: (offset: number, piece: string) => void }> {
  const row = await world.begun(id, request, id);
  await world.ledger.append(startedStep(row));
  return { row, say: (offset, piece) => world.deltas.publish(id, { step, attempt: 1, offset, text: piece }) };
}

async function completedWith(row: SessionRow): Promise<void> {
  await world.completes(row, text);
}

for (const [what, pieces] of [
  [
    "all deltas are seen, one of them cut in the middle of a character",
    [
      [0, 7],
      [7, 12],
      [12, 99],
    ],
  ],
  ["none is seen, because the worker is another process", []],
  ["the first is missed", [[7, 99]]],
  [
    "one in the middle is missed",
    [
      [0, 3],
      [10, 99],
    ],
  ],
  [
    "one comes twice",
    [
      [0, 9],
      [0, 9],
      [9, 12],
    ],
  ],
] as const) {
  test(`chat: the chunks joined are the text when ${what}`, async () => {
    const id = `sess-${String(pieces.length)}-${String(pieces[0]?.[1] ?? 0)}-${String(pieces[1]?.[0] ?? 0)}`;
    const { row, say } = await speaking(id);
    const asking = chat(id, { stream_options: { include_usage: true } });
    await sleep(80);
    for (const [start, end] of pieces) say(start, text.slice(start, end));
    await sleep(20);
    await completedWith(row);
    const answer = await asking;
    assert.match(answer.headers.get("content-type") ?? "", /^text\/event-stream/);
    const data = await dataOf(answer);
    assert.equal(data.pop(), "[DONE]");
    const chunks = data.map((line): Chunk => JSON.parse(line));
    const last = chunks.pop();
    assert.deepEqual([last?.choices, last?.usage, last?.model], [[], usage, "small-1"]);
    assert.deepEqual(chunks[0]?.choices[0]?.delta, { role: "assistant", content: "" });
    const contents = chunks.map(({ choices }) => choices[0]?.delta.content ?? "");
    assert.equal(contents.join(""), text);
    for (const content of contents) assert.ok(content.isWellFormed());
    assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "stop");
    assert.ok(chunks.every((chunk) => chunk.usage === null));
  });
}

test("chat: a text that was begun anew ends in an error, without [DONE], and its reader can tell", async () => {
  const { row, say } = await speaking("sess-anew");
  const answer = await whileTold(chat("sess-anew"), () => {
    say(0, "Something else");
  });
  await completedWith(row);
  const data = await dataOf(answer);
  const { error }: OpenaiError = JSON.parse(data.at(-1) ?? "");
  assert.equal(error.code, "answer_changed");
});

test("chat: what a worker in another process makes comes while it is made", async () => {
  const { row } = await speaking("sess-elsewhere");
  const { log } = createTestLog();
  const worker = new DeltaWriter(world.reopenDeltas(), log);
  const making = worker.begin(row, step, 1);
  making.write(text.slice(0, 7));
  // The first words alone let the answer begin: nothing else of it is there yet.
  const answer = await chat("sess-elsewhere");
  making.write(text.slice(7));
  making.finish();
  await completedWith(row);
  making.close({ done: true });
  await worker.close();
  const data = await dataOf(answer);
  assert.equal(data.pop(), "[DONE]");
  const contents = data.map((line): Chunk => JSON.parse(line)).map(({ choices }) => choices[0]?.delta.content ?? "");
  assert.equal(contents.join(""), text);
  assert.ok(contents.includes(text.slice(0, 7).replace(/[\uD800-\uDBFF]$/, "")), JSON.stringify(contents));
});

test("chat: usage is there only for who asked", async () => {
  const { row } = await speaking("sess-plain");
  await completedWith(row);
  const data = await dataOf(await chat("sess-plain"));
  assert.ok(data.every((line) => !line.includes("usage")));
  assert.equal(data.length, 4);
});

test("responses: live and told again, the events and numbers are the same, and after each of them the rest follows", async () => {
  const id = "sess-told";
  const { row, say } = await speaking(id);
  const live = toldAfter(id);
  await sleep(80);
  say(0, text.slice(0, 7));
  say(7, text.slice(7, 12));
  await sleep(30);
  // Something else is recorded while the model speaks.
  await world.ledger.append([
    {
      ...eventContext(row),
      type: "session.cancel_requested",
      key: "session.cancel_requested",
      data: { by: row.user },
    },
  ]);
  await sleep(30);
  say(12, text.slice(12, 20));
  await sleep(30);
  await completedWith(row);
  const events = await live;
  assert.equal(joined(events), text);
  assert.deepEqual(
    events.map(({ type }) => type),
    [
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      ...events.filter(({ delta }) => delta !== undefined).map(() => "response.output_text.delta"),
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ],
  );
  const numbers = events.map(({ sequence_number }) => sequence_number);
  for (const [index, number] of numbers.entries()) if (index > 0) assert.ok(number > (numbers[index - 1] ?? 0));
  for (const [index, { sequence_number }] of events.entries()) {
    const rest = await toldAfter(id, sequence_number);
    assert.equal(joined(events.slice(0, index + 1)) + joined(rest), text, String(sequence_number));
    assert.ok(rest.every((event) => event.sequence_number > sequence_number));
    assert.equal(rest.at(-1)?.type, index === events.length - 1 ? undefined : "response.completed");
  }
  // The ledger's own cursor: what its event was told as is behind, and all that follows comes.
  const { last_seq } = (await world.ledger.findSession({ tenant: row.tenant, sessionId: id })) ?? row;
  const startedAt: (string | undefined)[] = [];
  for (let from = 0; from <= last_seq; from += 1) startedAt.push((await toldAfter(id, from))[0]?.type);
  assert.deepEqual(startedAt, [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.output_item.added",
    "response.output_item.added",
    "response.completed",
    undefined,
  ]);
  const done = events.find(({ type }) => type === "response.completed");
  assert.equal(done?.response?.output[0]?.content[0]?.text, text);
});

test("responses: a canceled, a denied and a cut one end their streams with what became of them", async () => {
  const row = await world.begun("sess-gone", request, "sess-gone");
  await world.ledger.append([{ ...eventContext(row), type: "session.canceled", key: "session.end", data: {} }]);
  const gone = await toldAfter("sess-gone");
  assert.deepEqual([gone.at(-1)?.type, gone.at(-1)?.response?.status], ["response.incomplete", "cancelled"]);

  const denied = await world.begun("sess-denied", request, "sess-denied");
  await world.ledger.append([
    {
      ...eventContext(denied),
      type: "session.denied",
      key: "session.end",
      data: { code: "POLICY_DENIED", step, reasons: ["no"] },
    },
  ]);
  const refused = await toldAfter("sess-denied");
  assert.deepEqual(
    refused.map(({ type }) => type),
    ["response.created", "response.failed"],
  );

  const cut = await world.begun("sess-cut", request, "sess-cut");
  await world.completes(cut, "half a sen", "length");
  const end = (await toldAfter("sess-cut")).at(-1);
  assert.deepEqual([end?.type, end?.response?.status], ["response.incomplete", "incomplete"]);
});

test("a service that stops ends its streams with an error, so that none of them looks whole", async () => {
  await using stopping = await startOpenaiApp();
  const row = await stopping.begun("sess-stop", request, "sess-stop");
  await stopping.ledger.append(startedStep(row));
  const headers = { "idempotency-key": "sess-stop" };
  const asking = stopping.call("POST", "/v1/chat/completions", { ...request, stream: true }, headers);
  const watching = stopping.call("GET", "/v1/responses/resp_sess-stop?stream=true");
  const [chatted, watched] = await whileTold(Promise.all([asking, watching]), () => {
    stopping.deltas.publish("sess-stop", { step, attempt: 1, offset: 0, text: "Hel" });
  });
  await sleep(50);
  await stopping.streams.close();
  const chunks = await dataOf(chatted);
  const { error }: OpenaiError = JSON.parse(chunks.at(-1) ?? "");
  assert.equal(error.code, "not_ready");
  const last: { type: string; code: string } = JSON.parse((await dataOf(watched)).at(-1) ?? "");
  assert.deepEqual([last.type, last.code], ["error", "not_ready"]);
});

test("a stream counts as one while it is open, and not after", async () => {
  const { row } = await speaking("sess-count");
  const stop = new AbortController();
  const answer = await fetch(`${world.url}/v1/responses/resp_sess-count?stream=true`, {
    headers: { authorization: `Bearer ${world.token}` },
    signal: stop.signal,
  });
  assert.equal(await openStreams(), 1);
  stop.abort();
  await answer.text().catch(() => undefined);
  for (let round = 0; round < 100 && (await openStreams()) !== 0; round += 1) await sleep(20);
  assert.equal(await openStreams(), 0);
  const now = await world.ledger.findSession({ tenant: row.tenant, sessionId: row.session_id });
  assert.equal(now?.cancel_requested, undefined, "who only watches cancels nothing");
});

async function openStreams(): Promise<number> {
  const metrics = await (await world.call("GET", "/metrics")).text();
  return Number(/^soma_event_streams_open(?:\{.*\})? (\d+)$/m.exec(metrics)?.[1]);
}
