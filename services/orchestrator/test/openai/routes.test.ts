import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, test } from "node:test";
import type { ChatCompletion, OpenaiError, OpenaiResponse } from "@soma/contracts/openai";
import { errors, isErrorCode } from "@soma/contracts/error-codes";
import { trustLoopback } from "../../src/access/authenticate.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import { openaiErrors } from "@soma/contracts/openai-errors";
import { startOpenaiApp, startedStep, usage, type OpenaiApp } from "./openai-app.ts";

const request = { model: "small", messages: [{ role: "user" as const, content: "hi" }] };
let world: OpenaiApp;

before(async () => {
  world = await startOpenaiApp();
});
after(() => world[Symbol.asyncDispose]());

async function jsonOf<Body>(answer: Response): Promise<Body> {
  const body: Body = JSON.parse(await answer.text());
  return body;
}

test("every refusal on these routes has OpenAI's shape, with the status, code and field that its SDKs read", async () => {
  const readOnly = await world.identity.login({
    user_id: "user-demo",
    tenant_id: "tenant-demo",
    capabilities: ["session.read"],
  });
  const cases: [string, string, unknown, Record<string, string>, [number, string, string, string | null]][] = [
    [
      "POST",
      "/v1/chat/completions",
      request,
      { authorization: "" },
      [401, "authentication_error", "invalid_api_key", null],
    ],
    [
      "GET",
      "/v1/models",
      undefined,
      { authorization: "Bearer sk-x" },
      [401, "authentication_error", "invalid_api_key", null],
    ],
    [
      "POST",
      "/v1/chat/completions",
      request,
      { authorization: `Bearer ${readOnly}` },
      [403, "permission_error", "insufficient_permissions", null],
    ],
    [
      "POST",
      "/v1/responses/resp_x/cancel",
      undefined,
      { authorization: `Bearer ${readOnly}` },
      [403, "permission_error", "insufficient_permissions", null],
    ],
    ["POST", "/v1/chat/completions", {}, {}, [400, "invalid_request_error", "invalid_value", "messages"]],
    [
      "POST",
      "/v1/chat/completions",
      { ...request, temperature: 9 },
      {},
      [400, "invalid_request_error", "invalid_value", "temperature"],
    ],
    [
      "POST",
      "/v1/chat/completions",
      { ...request, n: 2 },
      {},
      [400, "invalid_request_error", "unsupported_parameter", "n"],
    ],
    [
      "POST",
      "/v1/chat/completions",
      { ...request, messages: [{ role: "user", content: [{ type: "image_url" }] }] },
      {},
      [400, "invalid_request_error", "unsupported_parameter", "messages.0.content.0"],
    ],
    [
      "POST",
      "/v1/responses",
      { input: "x", previous_response_id: "resp_1" },
      {},
      [400, "invalid_request_error", "unsupported_parameter", "previous_response_id"],
    ],
    ["GET", "/v1/responses/resp_nobody", undefined, {}, [404, "not_found_error", "session_not_found", null]],
    ["GET", "/v1/responses/no-prefix", undefined, {}, [404, "not_found_error", "session_not_found", null]],
    ["GET", "/v1/chat/nothing/here", undefined, {}, [404, "invalid_request_error", "unknown_url", null]],
    ["DELETE", "/v1/responses/resp_x", undefined, {}, [404, "invalid_request_error", "unknown_url", null]],
    [
      "GET",
      "/v1/responses/resp_x?starting_after=x",
      undefined,
      {},
      [400, "invalid_request_error", "invalid_value", "querystring.starting_after"],
    ],
  ];
  for (const [method, path, body, headers, expected] of cases) {
    const answer = await world.call(method, path, body, headers);
    const what = `${method} ${path} ${JSON.stringify(body)}`;
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/, what);
    assert.ok(answer.headers.get("x-request-id"), what);
    const { error } = await jsonOf<OpenaiError>(answer);
    assert.deepEqual([answer.status, error.type, error.code, error.param], expected, what);
    assert.ok(error.message.length > 10);
  }
  const sdkCancel = await world.call("POST", "/v1/responses/resp_nobody/cancel", undefined, {
    "content-type": "application/json",
  });
  assert.equal(sdkCancel.status, 404, "openai-python sends no body under the name of JSON");
  const empty = await world.call("POST", "/v1/responses", undefined, { "content-type": "application/json" });
  assert.equal(empty.status, 400);
  const poisoned = await fetch(`${world.url}/v1/responses`, {
    method: "POST",
    headers: { authorization: `Bearer ${world.token}`, "content-type": "application/json" },
    body: '{"input":"x","__proto__":{"model":"y"}}',
  });
  assert.equal((await jsonOf<OpenaiError>(poisoned)).error.code, "invalid_json");
  const broken = await fetch(`${world.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${world.token}`, "content-type": "application/json" },
    body: "{",
  });
  assert.equal((await jsonOf<OpenaiError>(broken)).error.code, "invalid_json");
  const elsewhere = await world.call("GET", "/v1/sessions/nobody");
  assert.match(
    elsewhere.headers.get("content-type") ?? "",
    /^application\/problem\+json/,
    "other routes are as they were",
  );
});

test("on loopback without a token there is nobody to act for: 401, and the words say what to do", async () => {
  await using open = await startOpenaiApp({ authenticate: trustLoopback() });
  for (const [method, path, body] of [
    ["POST", "/v1/chat/completions", { ...request, user: "user-demo", metadata: { tenant: "tenant-demo" } }],
    ["POST", "/v1/responses", { input: "x" }],
    ["GET", "/v1/responses/resp_x", undefined],
    ["POST", "/v1/responses/resp_x/cancel", undefined],
    ["GET", "/v1/models", undefined],
    ["GET", "/v1/models/x", undefined],
  ] as const) {
    const answer = await open.call(method, path, body, { authorization: "", "openai-organization": "tenant-demo" });
    assert.equal(answer.status, 401, path);
    assert.match((await jsonOf<OpenaiError>(answer)).error.message, /api_key/);
  }
});

test("every error code has a row, and its status fits its type", () => {
  for (const [code, { type }] of Object.entries(openaiErrors)) {
    assert.ok(isErrorCode(code));
    const status = openaiErrors[code].status ?? errors[code].status;
    if (type === "server_error") assert.ok(status >= 500, code);
    else assert.ok(status < 500, code);
    assert.equal(type === "authentication_error", status === 401, code);
    assert.equal(type === "rate_limit_error", status === 429, code);
    assert.equal(type === "permission_error", status === 403, code);
  }
});

test("before a session was begun a failure that passes may be repeated, and nothing else", async () => {
  await using away = await startOpenaiApp({ temporalIsUp: false });
  const answer = await away.call("POST", "/v1/chat/completions", request);
  assert.equal(answer.status, 503);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  assert.equal(answer.headers.get("x-should-retry"), null);
  const refused = await away.call("POST", "/v1/chat/completions", { ...request, n: 2 });
  assert.equal(refused.headers.get("x-should-retry"), "false");
});

test("a request that is not streamed is answered when the ledger says that the session has ended", async () => {
  const row = await world.begun("sess-plain", request, "key-plain");
  const asking = world.call("POST", "/v1/chat/completions", request, { "idempotency-key": "key-plain" });
  await sleep(50);
  await world.completes(row, "hello");
  const answer = await asking;
  assert.equal(answer.status, 200);
  const { id, model, choices, usage: told } = await jsonOf<ChatCompletion>(answer);
  assert.deepEqual(
    [id, model, choices[0]?.message.content, choices[0]?.finish_reason, told],
    ["chatcmpl-sess-plain", "small-1", "hello", "stop", usage],
  );
  // Asked again, after its end, by the same key: the same.
  const again = await world.call("POST", "/v1/chat/completions", request, { "idempotency-key": "key-plain" });
  assert.deepEqual((await jsonOf<ChatCompletion>(again)).choices, choices);
  const other = { ...request, temperature: 0 };
  const reused = await world.call("POST", "/v1/chat/completions", other, { "idempotency-key": "key-plain" });
  assert.equal(reused.status, 422);
});

test("what ended a session is the error of the request, and the SDKs are told not to begin another", async () => {
  for (const [code, status] of [
    ["MODEL_NOT_FOUND", 404],
    ["MODEL_UNAVAILABLE", 503],
    ["MODEL_PROMPT_TOO_LONG", 400],
    ["ACCESS_REVOKED", 403],
  ] as const) {
    const id = `sess-${code.toLowerCase()}`;
    const row = await world.begun(id, request, id);
    await world.ledger.append([{ ...eventContext(row), type: "session.failed", key: "session.end", data: { code } }]);
    for (const path of ["/v1/chat/completions"]) {
      for (const stream of [false, true]) {
        const answer = await world.call("POST", path, { ...request, stream }, { "idempotency-key": id });
        assert.equal(answer.status, status, `${code} ${String(stream)}`);
        assert.equal(answer.headers.get("x-should-retry"), "false");
        assert.match((await jsonOf<OpenaiError>(answer)).error.message, new RegExp(id));
      }
    }
    const read = await jsonOf<OpenaiResponse>(await world.call("GET", `/v1/responses/resp_${id}`));
    assert.equal(read.status, "failed");
    assert.match(read.error?.message ?? "", new RegExp(code));
  }
});

test("a session that takes too long is a 504 that says where it goes on, and it does", async () => {
  await using hasty = await startOpenaiApp({ answerWithinMs: 1_600 });
  // A silent connection would be cut by this limit of the server's; it is the waiting that must not be.
  hasty.app.server.timeout = 800;
  const row = await hasty.begun("sess-late", request, "key-late");
  const answer = await hasty.call("POST", "/v1/chat/completions", request, { "idempotency-key": "key-late" });
  assert.equal(answer.status, 504);
  assert.equal(answer.headers.get("x-should-retry"), "false");
  const { error } = await jsonOf<OpenaiError>(answer);
  assert.equal(error.code, "answer_not_in_time");
  assert.match(error.message, /sess-late/);
  await hasty.completes(row, "late");
  const read = await jsonOf<OpenaiResponse>(await hasty.call("GET", "/v1/responses/resp_sess-late"));
  assert.equal(read.output[0]?.content[0]?.text, "late");
});

test("another tenant's response and one that never was are the same 404, byte for byte", async () => {
  await world.begun("sess-mine", request, "key-mine");
  const foreign = await world.identity.login({
    user_id: "user-acme",
    tenant_id: "tenant-acme",
    capabilities: ["session.read", "session.cancel"],
  });
  const headers = { authorization: `Bearer ${foreign}`, "x-request-id": "same" };
  for (const [method, suffix] of [
    ["GET", ""],
    ["GET", "?stream=true"],
    ["POST", "/cancel"],
  ] as const) {
    const answers = await Promise.all(
      ["sess-mine", "sess-never"].map(async (id) => {
        const answer = await world.call(method, `/v1/responses/resp_${id}${suffix}`, undefined, headers);
        return { status: answer.status, text: await answer.text(), names: [...answer.headers.keys()] };
      }),
    );
    assert.equal(answers[0]?.status, 404);
    assert.deepEqual(answers[0], answers[1]);
  }
});

test("a service that stops says so to who waits, and does not cancel the session", async () => {
  await using stopping = await startOpenaiApp();
  const row = await stopping.begun("sess-stop", request, "key-stop");
  await stopping.ledger.append(startedStep(row));
  const asking = stopping.call("POST", "/v1/chat/completions", request, { "idempotency-key": "key-stop" });
  await sleep(100);
  await stopping.streams.close();
  const answer = await asking;
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("x-should-retry"), "false");
  const now = await stopping.ledger.findSession({ tenant: row.tenant, sessionId: row.session_id });
  assert.equal(now?.cancel_requested, undefined);
});
