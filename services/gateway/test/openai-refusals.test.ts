import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bodyOf } from "./body-of.ts";
import { openDoor, type Door } from "./real-gateway.ts";

let door: Door;
before(async () => {
  door = await openDoor();
});
after(() => door[Symbol.asyncDispose]());

const json = { "content-type": "application/json" };
const chat = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] });

test("on OpenAI's paths the door refuses in OpenAI's shape, and passes on what it does not refuse", async () => {
  const wrong: readonly [what: string, init: RequestInit, status: number, error: object][] = [
    [
      "no good token",
      { headers: { ...json, authorization: "Bearer x" }, body: chat },
      401,
      { type: "authentication_error", code: "invalid_api_key", param: null },
    ],
    [
      "a field that does not fit",
      { headers: json, body: JSON.stringify({ model: "m", messages: [] }) },
      400,
      { type: "invalid_request_error", code: "invalid_value", param: "messages" },
    ],
    [
      "another type",
      { headers: { "content-type": "text/plain" }, body: chat },
      415,
      { type: "invalid_request_error", code: "unsupported_media_type", param: null },
    ],
  ];
  for (const [what, init, status, expected] of wrong) {
    door.orchestrator.seen.length = 0;
    const answer = await door.request("/v1/chat/completions", { method: "POST", ...init });
    const { error } = await bodyOf(answer);
    assert.equal(answer.status, status, what);
    assert.deepEqual({ ...Object(error), message: "" }, { ...expected, message: "" }, what);
    assert.equal(answer.headers.get("x-should-retry"), "false");
    assert.deepEqual(door.orchestrator.seen, [], what);
  }
  const passed = await door.request("/v1/chat/completions", { method: "POST", headers: json, body: chat });
  assert.equal(door.orchestrator.seen.length, 1);
  assert.deepEqual(Object.keys(await bodyOf(passed)), ["error"], "the orchestrator's own refusal");
});

test("a cancel that says JSON of a body that it does not send passes", async () => {
  const answer = await door.request("/v1/responses/resp_none/cancel", { method: "POST", headers: json });
  const { error } = await bodyOf(answer);
  assert.equal(answer.status, 404, JSON.stringify(error));
  assert.equal(Object(error).code, "session_not_found");
});
