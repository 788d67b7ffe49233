import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
  UnprocessableEntityError,
} from "openai";
import type { SessionView } from "@soma/contracts/session";
import { withOtherSignature } from "../../packages/kit/test/forged-token.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";
import { until } from "../harness/until.ts";
import { chat, connect, readOn } from "./openai/examples.ts";
import { denied, model, startOpenaiWorld, type OpenaiWorld } from "./openai/world.ts";

let world: OpenaiWorld;
const sessionOf = (id: string): Promise<SessionView> => world.sessionOf(id);

before(async () => {
  world = await startOpenaiWorld();
});

after(() => world.close());

test("npm SDK: a chat completion is a governed session; text, model and usage are the ledger's", async () => {
  const answer = await chat(world.client, model);
  const session = await sessionOf(answer.id);
  assert.equal(session.status, "completed");
  assert.ok(session.decision?.allowed);
  assert.equal(answer.choices[0]?.message.content, session.result?.text);
  assert.equal(answer.model, session.result?.model);
  assert.deepEqual(answer.usage, session.result?.usage);
  assert.equal(answer.choices[0]?.finish_reason, session.result?.finish_reason);
  const events = await world.api.request<{ events: { type: string; data: Record<string, unknown> }[] }>(
    "GET",
    `/v1/sessions/${session.session_id}/events`,
    { headers: { authorization: `Bearer ${world.key}` } },
  );
  assert.equal(events.body.events[0]?.data["prompt_format"], "chat");
});

test("npm SDK: the chunks of a streamed chat joined are the answer, and the last has the usage", async () => {
  const stream = await world.client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Write two short lines about rain." }],
    max_tokens: 60,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let id = "";
  let pieces = 0;
  let finish: string | null = null;
  let usage: OpenAI.CompletionUsage | undefined;
  const roles: (string | undefined)[] = [];
  for await (const chunk of stream) {
    id = chunk.id;
    const [choice] = chunk.choices;
    if (choice) roles.push(choice.delta.role);
    if (choice?.delta.content) pieces += 1;
    text += choice?.delta.content ?? "";
    finish = choice?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  const session = await sessionOf(id);
  assert.equal(text, session.result?.text);
  assert.ok(pieces > 3, `${String(pieces)} pieces`);
  assert.deepEqual([roles[0], ...new Set(roles.slice(1))], ["assistant", undefined]);
  assert.equal(finish, session.result?.finish_reason);
  assert.deepEqual(usage, session.result?.usage);
});

const ask = (body: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>): Promise<OpenAI.ChatCompletion> =>
  world.client.chat.completions.create({ model, messages: [{ role: "user", content: "Tell me a story." }], ...body });

test("npm SDK: sampling reaches the model: one token is one token, and the same seed says the same", async () => {
  const short = await ask({ max_completion_tokens: 1 });
  assert.equal(short.usage?.completion_tokens, 1);
  assert.equal(short.choices[0]?.finish_reason, "length");
  const same = await Promise.all([1, 2].map(() => ask({ seed: 7, temperature: 1, max_completion_tokens: 16 })));
  assert.equal(same[0]?.choices[0]?.message.content, same[1]?.choices[0]?.message.content);
  const free = await ask({ temperature: 0, max_completion_tokens: 24 });
  const word = / (\w+)/.exec(free.choices[0]?.message.content ?? "")?.[1] ?? "";
  const stopped = await ask({ temperature: 0, max_completion_tokens: 24, stop: [word] });
  assert.ok(!stopped.choices[0]?.message.content?.includes(word), "a stop text stops");
});

test("npm SDK: a response, and its stream through the SDK's own accumulator", async () => {
  const whole = await world.client.responses.create({
    model,
    instructions: "Answer in one word.",
    input: "Is water wet?",
    max_output_tokens: 12,
    metadata: { purpose: "test" },
  });
  const session = await sessionOf(whole.id);
  assert.equal(whole.output_text, session.result?.text);
  assert.equal(whole.usage?.total_tokens, session.result?.usage.total_tokens);
  assert.deepEqual(whole.metadata, { purpose: "test" });
  assert.deepEqual({ ...(await world.client.responses.retrieve(whole.id)) }, { ...whole });

  const stream = world.client.responses.stream({ model, input: "Name a fruit.", max_output_tokens: 12 });
  let text = "";
  const numbers: number[] = [];
  for await (const event of stream) {
    numbers.push(event.sequence_number);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  const final = await stream.finalResponse();
  assert.equal(text, final.output_text);
  assert.equal(text, (await sessionOf(final.id)).result?.text);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(numbers).size, numbers.length, "each number once");
});

type StreamEvents = readonly OpenAI.Responses.ResponseStreamEvent[];
const told = (events: StreamEvents): string =>
  events.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
const durable = (events: StreamEvents): [string, number][] =>
  events
    .filter(({ type }) => type !== "response.output_text.delta")
    .map(({ type, sequence_number }) => [type, sequence_number]);

test("npm SDK: a response in the background can be resumed after every event, also by the ledger's own cursor", async () => {
  const stream = await world.client.responses.create({
    model,
    input: "Describe the sea in two sentences.",
    max_output_tokens: 40,
    background: true,
    stream: true,
  });
  const live: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of stream) live.push(event);
  const [created] = live;
  assert.ok(created?.type === "response.created");
  const { id } = created.response;
  const whole = (await sessionOf(id)).result?.text ?? "";
  assert.equal(told(live), whole);
  const resume = async (starting_after: number) => {
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of await world.client.responses.retrieve(id, { stream: true, starting_after }))
      events.push(event);
    return events;
  };
  for (const [index, { sequence_number }] of live.entries()) {
    const rest = await resume(sequence_number);
    assert.equal(told(live.slice(0, index + 1)) + told(rest), whole, `after ${String(sequence_number)}`);
    assert.deepEqual(durable(rest), durable(live.slice(index + 1)));
  }
  const { last_seq } = await sessionOf(id);
  const types = async (cursor: number) => (await resume(cursor)).map(({ type }) => type);
  assert.deepEqual(await types(last_seq), [], "after the ledger's last event there is nothing");
  assert.equal((await types(last_seq - 1)).length, 1, "the end");
  assert.equal(told(await resume(0)), whole);
  assert.equal(await readOn(world.client, model).then((text) => text.length > 0), true);
});

test("npm SDK: cancel ends a response; a reader that leaves a chat cancels it, one with a key does not", async () => {
  const long = "Write a very long story about the sea, with many chapters.";
  const begun = await world.client.responses.create({ model, input: long, background: true });
  assert.ok(["queued", "in_progress"].includes(begun.status ?? ""), begun.status);
  await world.client.responses.cancel(begun.id);
  const status = await until("the response is canceled", async () => {
    const { status: now } = await world.client.responses.retrieve(begun.id);
    return now === "cancelled" ? now : undefined;
  });
  assert.equal(status, "cancelled");
  assert.equal((await world.client.responses.cancel(begun.id)).status, "cancelled");

  for (const [headers, expected] of [
    [{}, "canceled"],
    [{ "Idempotency-Key": crypto.randomUUID() }, "completed"],
  ] as const) {
    const stream = await world.client.chat.completions.create(
      { model, messages: [{ role: "user", content: long }], stream: true, max_tokens: 300 },
      { headers },
    );
    let id = "";
    for await (const chunk of stream) {
      id = chunk.id;
      if (chunk.choices[0]?.delta.content) break;
    }
    const { status: end } = await until("the session has ended", async () => {
      const view = await sessionOf(id);
      return ["completed", "canceled"].includes(view.status) ? view : undefined;
    });
    assert.equal(end, expected);
  }
});

test("npm SDK: a plain request that is given up cancels its session", async () => {
  const session_id = `sess-${crypto.randomUUID()}`;
  const stop = new AbortController();
  const asking = world.client.chat.completions.create(
    { model, messages: [{ role: "user", content: "Write a very long story." }], metadata: { session_id } },
    { signal: stop.signal },
  );
  const refused = assert.rejects(asking);
  await until("the model is asked", async () => {
    const path = `/v1/sessions/${session_id}/events`;
    const headers = { authorization: `Bearer ${world.key}` };
    const page = await world.api.request<{ events?: { type: string }[] }>("GET", path, { headers });
    return page.body.events?.some(({ type }) => type === "effect.intended") === true ? true : undefined;
  });
  stop.abort();
  await refused;
  const view = await until("the session has ended", async () => {
    const now = await sessionOf(session_id);
    return now.status === "running" ? undefined : now;
  });
  assert.equal(view.status, "canceled");
});

test("npm SDK: the same Idempotency-Key gives the same completion, another body is refused", async () => {
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const repeat = (content: string) =>
    world.client.chat.completions.create({ model, messages: [{ role: "user", content }], max_tokens: 8 }, { headers });
  const [one, two] = await Promise.all([repeat("hello"), repeat("hello")]);
  assert.deepEqual({ ...one }, { ...two });
  await assert.rejects(repeat("another"), UnprocessableEntityError);
});

test("npm SDK: refusals are its typed exceptions, and a session that failed is not begun again by its retries", async () => {
  const { client, api, key } = world;
  const messages = [{ role: "user" as const, content: "hi" }];
  const token = await world.accessToken(["session.start", "model.complete"]);
  for (const bad of [withOtherSignature(token), key.replace(/.$/, (last) => (last === "A" ? "B" : "A"))])
    await assert.rejects(connect(api.url, bad).chat.completions.create({ model, messages }), AuthenticationError);
  const reader = connect(api.url, await world.accessToken(["session.read"]));
  await assert.rejects(reader.chat.completions.create({ model, messages }), PermissionDeniedError);
  await assert.rejects(client.responses.retrieve("resp_nobody"), NotFoundError);
  await assert.rejects(client.chat.completions.create({ model, messages, n: 2 }), (error: unknown) => {
    assert.ok(error instanceof BadRequestError);
    assert.deepEqual([error.code, error.param], ["unsupported_parameter", "n"]);
    assert.ok(error.requestID);
    return true;
  });
  const label = { session_id: `sess-${crypto.randomUUID()}` };
  await assert.rejects(
    client.chat.completions.create({ model: "no-such-model", messages, metadata: label }),
    (error: unknown) => error instanceof NotFoundError && error.code === "model_not_found",
  );
  assert.equal((await sessionOf(label.session_id)).status, "failed");
  for (const stream of [false, true]) {
    // The first message is denied and the last is harmless: policy judges all of them.
    await assert.rejects(
      client.chat.completions.create({
        model,
        stream,
        messages: [
          { role: "user", content: denied },
          { role: "assistant", content: "No." },
          { role: "user", content: "Then say hello." },
        ],
      }),
      (error: unknown) => error instanceof PermissionDeniedError && error.code === "policy_denied",
    );
  }
  const failed = await client.responses.create({ model, input: denied, background: true });
  const read = await until("the response has failed", async () => {
    const now = await client.responses.retrieve(failed.id);
    return now.status === "failed" ? now : undefined;
  });
  assert.equal(read.error?.code, "invalid_prompt");
});

test("npm SDK: models are those of the model service", async () => {
  const models = (await world.client.models.list()).data;
  const direct = await fetch(`${stackUnderTest().urls.slm}/health`);
  const { models: served }: { models: string[] } = JSON.parse(await direct.text());
  assert.deepEqual(
    models.map(({ id }) => id),
    served,
  );
  assert.equal((await world.client.models.retrieve(model)).owned_by, "somagent-slm");
  await assert.rejects(world.client.models.retrieve("no-such-model"), NotFoundError);
});
