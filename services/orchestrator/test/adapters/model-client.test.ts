import assert from "node:assert/strict";
import { test } from "node:test";
import { DomainError } from "@soma/kit/domain-error";
import { bytes, cut, json, startScriptedServer, type Answer } from "../../../../packages/kit/test/scripted-server.ts";
import { createModelClient, type CompletionRequest } from "../../src/adapters/model-client.ts";
import { code } from "../ledger/refusal.ts";
import { done, event, finish, piece, stream, streamWith, usage } from "./sse.ts";

async function startClient(...script: readonly Answer[]) {
  const server = await startScriptedServer(...script);
  const client = createModelClient(server.url);
  const pieces: string[] = [];
  return {
    server,
    pieces,
    listModels: () => client.listModels("canary-token"),
    checkHealth: (signal: AbortSignal) => client.checkHealth(signal),
    complete: (changes: Partial<CompletionRequest> = {}) =>
      client.complete({
        messages: [{ role: "user", content: "canary-prompt" }],
        token: "canary-token",
        effectKey: "sha256:effect",
        signal: new AbortController().signal,
        onText: (text) => pieces.push(text),
        ...changes,
      }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const completion = {
  text: "Hello world",
  model: "small",
  finishReason: "stop",
  usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
  replayed: false,
};

test("a stream is joined to its text, each piece told as it comes", async () => {
  await using client = await startClient(stream(piece("Hello"), piece(" world"), finish, usage, done));
  assert.deepEqual(await client.complete(), completion);
  assert.deepEqual(client.pieces, ["Hello", " world"]);
});

test("the request is that of an OpenAI-compatible server, with the step's token and effect key", async () => {
  await using client = await startClient(stream(finish, usage, done), stream(finish, usage, done));
  await client.complete();
  await client.complete({ model: "org/model", maxOutputTokens: 7 });
  const [plain, bounded] = client.server.seen;
  assert.equal(plain?.method, "POST");
  assert.equal(plain.path, "/v1/chat/completions");
  assert.equal(plain.headers.authorization, "Bearer canary-token");
  assert.equal(plain.headers["idempotency-key"], "sha256:effect");
  assert.equal(plain.headers.accept, "text/event-stream");
  const common = {
    messages: [{ role: "user", content: "canary-prompt" }],
    stream: true,
    stream_options: { include_usage: true },
  };
  assert.deepEqual(JSON.parse(plain.body), common);
  assert.deepEqual(JSON.parse(bounded?.body ?? ""), { ...common, model: "org/model", max_tokens: 7 });
});

test("sampling goes along, and asks for no more than policy allows", async () => {
  const answers = [1, 2, 3].map(() => stream(finish, usage, done));
  await using client = await startClient(...answers);
  const sampling = { temperature: 0, top_p: 0.5, seed: 1, stop: ["x"] };
  await client.complete({ sampling });
  await client.complete({ sampling: { max_tokens: 5 }, maxOutputTokens: 7 });
  await client.complete({ sampling: { max_tokens: 9 }, maxOutputTokens: 7 });
  const bodies = client.server.seen.map(({ body }): Record<string, unknown> => JSON.parse(body));
  const { temperature, top_p, seed, stop, max_tokens } = bodies[0] ?? {};
  assert.deepEqual({ temperature, top_p, seed, stop }, sampling);
  assert.deepEqual([max_tokens, bodies[1]?.["max_tokens"], bodies[2]?.["max_tokens"]], [undefined, 5, 7]);
});

test("a list of models that is none, too long or not there is an error with a code", async () => {
  for (const [answer, expected] of [
    [json(200, { data: "x" }), "MODEL_BAD_RESPONSE"],
    [json(200, { data: [{ id: 7 }] }), "MODEL_BAD_RESPONSE"],
    [json(200, { data: [{ id: "x".repeat(257) }] }), "MODEL_BAD_RESPONSE"],
    [bytes(200, "<html>"), "MODEL_BAD_RESPONSE"],
    [json(401, {}), "MODEL_TOKEN_REFUSED"],
    [json(500, {}), "MODEL_UNAVAILABLE"],
    [cut, "MODEL_UNAVAILABLE"],
  ] as const) {
    await using client = await startClient(answer);
    await assert.rejects(client.listModels(), code(expected));
  }
  await using client = await startClient(
    json(200, { data: [{ id: "a" }, { id: "b", created: 3, owned_by: "o", x: 1 }] }),
  );
  assert.deepEqual(await client.listModels(), [
    { id: "a", object: "model", created: 0, owned_by: "unknown" },
    { id: "b", object: "model", created: 3, owned_by: "o" },
  ]);
});

for (const [header, value, expected] of [
  ["idempotency-replayed", "true", true],
  ["idempotency-joined", "true", true],
  ["idempotency-replayed", "false", false],
  ["idempotency-replayed", "", false],
] as const) {
  test(`an answer with ${header}: "${value}" is ${expected ? "" : "not "}one of another attempt`, async () => {
    await using client = await startClient(streamWith({ [header]: value })(piece("Hello"), finish, usage, done));
    assert.equal((await client.complete()).replayed, expected);
  });
}

const text = "Größe 🙂 ½ 你好";
const whole = Buffer.from([piece(text), finish, usage, done].join(""));

test("it does not matter where packets end: in a line, in a line's end or in a character", async () => {
  const single = Array.from(whole, (byte) => Buffer.from([byte]));
  // At each byte of the text, and so within each of its characters.
  const begin = whole.indexOf(text);
  const halves = Array.from({ length: Buffer.byteLength(text) }, (_, index): Answer => {
    return stream(whole.subarray(0, begin + index), whole.subarray(begin + index));
  });
  await using client = await startClient(stream(...single), ...halves);
  for (let round = 0; round < 1 + halves.length; round += 1) assert.equal((await client.complete()).text, text);
});

test("line ends of either kind, comments, event names and fields of others are no matter", async () => {
  const odd = [
    ": comment\n\n",
    "event: message\nid: 1\nretry: 10\n",
    piece("Hello").replaceAll("\n", "\r\n"),
    "data:" + piece(" world").slice("data: ".length),
    finish,
    usage,
    "data:   [DONE]  \n\n",
  ];
  await using client = await startClient(stream(...odd));
  assert.equal((await client.complete()).text, "Hello world");
});

test("pieces without content, a role alone, and usage of null until the end are no text", async () => {
  await using client = await startClient(
    stream(
      event({ choices: [{ delta: { role: "assistant", content: null } }], usage: null }),
      event({ choices: [{ delta: { content: "" }, finish_reason: null }] }),
      event({ choices: [{}] }),
      piece("Hello world"),
      finish,
      usage,
      done,
    ),
  );
  assert.deepEqual(await client.complete(), completion);
  assert.deepEqual(client.pieces, ["Hello world"]);
});

const nameless = (value: string): string => value.replaceAll('"model":"small",', "");

test("a server that does not name its model is unnamed, and no text is a text, too", async () => {
  await using client = await startClient(stream(nameless(finish), nameless(usage), done));
  assert.deepEqual(await client.complete(), { ...completion, text: "", model: "unnamed" });
});

test("half a surrogate pair that never meets its other half becomes valid Unicode, two that meet a character", async () => {
  const halves = piece("\ud83d") + piece("\ude42");
  await using client = await startClient(stream(halves, piece(" \ud83d"), finish, usage, done));
  assert.equal((await client.complete()).text, "🙂 \ufffd");
});

const cutShort: readonly [title: string, answer: Answer][] = [
  ["nothing at all", stream()],
  ["no end mark", stream(piece("Hello"), finish, usage)],
  ["half an end mark", stream(piece("Hello"), finish, usage, "data: [DO")],
  ["an end mark without its line's end", stream(piece("Hello"), finish, usage, "data: [DONE]")],
  ["JSON in place of a stream", json(200, { choices: [{ message: { content: "Hello" } }] })],
  [
    "a connection that is cut within the text",
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(piece("Hello"));
      setTimeout(() => response.destroy(), 20);
    },
  ],
  ["a connection that is cut at once", cut],
];

for (const [title, answer] of cutShort) {
  test(`a stream that ends before its end is MODEL_UNAVAILABLE, to be tried again: ${title}`, async () => {
    await using client = await startClient(answer);
    await assert.rejects(client.complete(), code("MODEL_UNAVAILABLE"));
  });
}

const unreadable: readonly [title: string, answer: Answer][] = [
  ["no usage", stream(piece("Hello"), finish, done)],
  ["no finish reason", stream(piece("Hello"), usage, done)],
  ["a chunk that is no JSON", stream("data: canary\n\n", done)],
  ["a chunk that is a list", stream(event([]), done)],
  [
    "an error in the stream",
    stream(piece("Hello"), event({ error: { message: "canary", code: "server_error" } }), done),
  ],
  ["content that is no text", stream(event({ choices: [{ delta: { content: 7 } }] }), done)],
  ["choices that are no list", stream(event({ choices: {} }), done)],
  ["counts that are no numbers", stream(finish, event({ choices: [], usage: { prompt_tokens: "3" } }), done)],
  [
    "counts below nought",
    stream(finish, event({ choices: [], usage: { prompt_tokens: -1, completion_tokens: 5, total_tokens: 4 } }), done),
  ],
  [
    "a model's name without end",
    stream(piece("Hello").replace("small", "s".repeat(300)), nameless(finish), nameless(usage), done),
  ],
  [
    "a model's name that is no valid Unicode",
    stream(event({ model: "\ud800", choices: [{ finish_reason: "stop" }] }), nameless(usage), done),
  ],
];

for (const [title, answer] of unreadable) {
  test(`what cannot be read is MODEL_BAD_RESPONSE and shows nothing of it: ${title}`, async () => {
    await using client = await startClient(answer);
    await assert.rejects(client.complete(), (error) => {
      assert.ok(error instanceof DomainError, String(error));
      assert.equal(error.code, "MODEL_BAD_RESPONSE");
      assert.ok(!`${error.message} ${String(error.cause)}`.includes("canary"));
      return true;
    });
  });
}

const endlessPieces: Answer = async (response) => {
  response.writeHead(200);
  while (!response.destroyed) {
    if (!response.write(piece("x".repeat(60_000)))) await new Promise((resolve) => void setTimeout(resolve, 1));
  }
};

const endlessLine: Answer = async (response) => {
  response.writeHead(200).write('data: {"choices":[{"delta":{"content":"');
  while (!response.destroyed) {
    if (!response.write("x".repeat(60_000))) await new Promise((resolve) => void setTimeout(resolve, 1));
  }
};

test("an answer beyond 4 MiB is not read to its end, in pieces or in one line", async () => {
  await using client = await startClient(endlessPieces, endlessLine);
  await assert.rejects(client.complete(), code("MODEL_BAD_RESPONSE"));
  await assert.rejects(client.complete(), code("MODEL_BAD_RESPONSE"));
});

const refusals: readonly [status: number, body: unknown, expected: Parameters<typeof code>[0]][] = [
  [500, {}, "MODEL_UNAVAILABLE"],
  [502, "canary", "MODEL_UNAVAILABLE"],
  [503, {}, "MODEL_UNAVAILABLE"],
  [504, {}, "MODEL_UNAVAILABLE"],
  [429, {}, "MODEL_UNAVAILABLE"],
  [408, {}, "MODEL_UNAVAILABLE"],
  [401, { error: { code: "invalid_token", message: "canary" } }, "MODEL_TOKEN_REFUSED"],
  [400, {}, "MODEL_REJECTED"],
  [403, { error: { code: "insufficient_scope" } }, "MODEL_REJECTED"],
  [404, { error: { code: "model_not_found", message: "canary" } }, "MODEL_NOT_FOUND"],
  [404, { error: { code: "no_such_thing" } }, "MODEL_REJECTED"],
  [404, {}, "MODEL_UNAVAILABLE"],
  [404, "Path '/v1/chat/completions' not found. Ensure that app has been deployed.", "MODEL_UNAVAILABLE"],
  [400, { error: { code: "context_length_exceeded", message: "canary" } }, "MODEL_PROMPT_TOO_LONG"],
  [413, "canary", "MODEL_REJECTED"],
  [422, { error: "canary" }, "MODEL_REJECTED"],
  [422, { error: { code: 7 } }, "MODEL_REJECTED"],
  [422, { error: { code: "idempotency_key_reused", message: "canary" } }, "MODEL_REJECTED"],
  [422, { error: { code: "toString" } }, "MODEL_REJECTED"],
  [302, {}, "MODEL_REJECTED"],
  [307, {}, "MODEL_REJECTED"],
  [204, undefined, "MODEL_REJECTED"],
];

for (const [status, body, expected] of refusals) {
  test(`status ${String(status)} with ${JSON.stringify(body) ?? "nothing"} is ${expected} and shows nothing of it`, async () => {
    const headers = { location: "/elsewhere" };
    const sent = typeof body === "string" ? body : (JSON.stringify(body) ?? "");
    await using client = await startClient(bytes(status, sent, headers));
    await assert.rejects(client.complete(), (error) => {
      assert.ok(error instanceof DomainError, String(error));
      assert.equal(error.code, expected);
      assert.ok(!`${error.message} ${String(error.cause)}`.includes("canary"));
      return true;
    });
    assert.equal(client.server.seen.length, 1);
  });
}

test("a refusal without end is not read to its end", async () => {
  await using client = await startClient(async (response) => {
    response.writeHead(400);
    while (!response.destroyed) {
      if (!response.write("x".repeat(10_000))) await new Promise((resolve) => void setTimeout(resolve, 1));
    }
  });
  await assert.rejects(client.complete(), code("MODEL_REJECTED"));
  await client.server.clientGone;
});

test("an abort closes the connection, so that the server sees it, and ends with the caller's own reason", async () => {
  const begun = Promise.withResolvers<void>();
  await using client = await startClient((response) => {
    response.writeHead(200).write(piece("Hello"));
    begun.resolve();
  });
  const controller = new AbortController();
  const reason = new Error("the session was canceled");
  const answer = client.complete({ signal: controller.signal });
  await begun.promise;
  controller.abort(reason);
  await assert.rejects(answer, (error) => error === reason);
  await client.server.clientGone;
});

test("what was aborted before it began is never sent", async () => {
  await using client = await startClient();
  const reason = new Error("canceled");
  await assert.rejects(client.complete({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
});

test("nobody there is MODEL_UNAVAILABLE", async () => {
  const client = createModelClient(new URL("http://127.0.0.1:1"));
  const request = {
    messages: [{ role: "user" as const, content: "x" }],
    token: "t",
    effectKey: "k",
    signal: new AbortController().signal,
    onText: () => undefined,
  };
  await assert.rejects(client.complete(request), code("MODEL_UNAVAILABLE"));
  await client.close();
});

test("any answer but a server's error shows that a model service is there", async () => {
  await using client = await startClient(
    bytes(200, "ok"),
    bytes(404, "no health here"),
    bytes(401, ""),
    bytes(503, ""),
  );
  const never = new AbortController().signal;
  for (let round = 0; round < 3; round += 1) await client.checkHealth(never);
  await assert.rejects(client.checkHealth(never), /503/);
  assert.deepEqual([...new Set(client.server.seen.map(({ path }) => path))], ["/health"]);
});

test("a server under a path is asked under it", async () => {
  await using server = await startScriptedServer(stream(finish, usage, done));
  const client = createModelClient(new URL("/llm/", server.url));
  const request = {
    messages: [{ role: "user" as const, content: "x" }],
    token: "t",
    effectKey: "k",
    signal: new AbortController().signal,
    onText: () => undefined,
  };
  await client.complete(request);
  await client.close();
  assert.equal(server.seen[0]?.path, "/llm/v1/chat/completions");
});
