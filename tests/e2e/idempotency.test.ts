import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { apiOf } from "../harness/api.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const api = apiOf(stackUnderTest().urls.orchestrator);
const body = { tenant: "tenant-demo", user: "user-demo", prompt: "Say one word." };
const start = (content: unknown, key: string) =>
  api.request<{ session_id: string; code: string }>("POST", "/v1/sessions", {
    body: content,
    headers: { "idempotency-key": key },
  });

test("the same key and body give the same answer, and one session", async () => {
  const key = randomUUID();
  const first = await start(body, key);
  assert.equal(first.status, 202);
  const second = await start(body, key);
  assert.equal(second.status, 202);
  assert.equal(second.text, first.text);
  // Another tenant's key of the same name is another key.
  const other = await start({ ...body, tenant: "tenant-acme", user: "user-acme" }, key);
  assert.equal(other.status, 202);
  assert.notEqual(other.body.session_id, first.body.session_id);
  await Promise.all([api.ended(first.body.session_id), api.ended(other.body.session_id)]);
});

test("the same key with another body is refused with 422", async () => {
  const key = randomUUID();
  const first = await start(body, key);
  const second = await start({ ...body, prompt: "Say two words." }, key);
  assert.equal(second.status, 422);
  assert.equal(second.body.code, "IDEMPOTENCY_KEY_REUSED");
  await api.ended(first.body.session_id);
});

test("ten requests at once with one key make one session; who comes while it starts is told so", async () => {
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 10 }, () => start(body, key)));
  const ids = new Set(answers.filter(({ status }) => status === 202).map((answer) => answer.body.session_id));
  assert.equal(ids.size, 1);
  for (const answer of answers) {
    if (answer.status !== 202) assert.equal(answer.body.code, "IDEMPOTENCY_IN_PROGRESS");
  }
  const [id] = ids;
  await api.ended(id ?? "");
});

test("a bad key is refused and named", async () => {
  const answer = await api.request("POST", "/v1/sessions", { body, headers: { "idempotency-key": "two words" } });
  assert.equal(answer.status, 400);
  assert.equal(answer.body.errors?.[0]?.pointer, "/headers/idempotency-key");
});
