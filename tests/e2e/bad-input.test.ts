import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { apiOf } from "../harness/api.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const stack = stackUnderTest();
const api = apiOf(stack.urls.orchestrator);
const good = { tenant: "tenant-demo", user: "user-demo", prompt: "hi" };
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const { prompt: _prompt, ...noPrompt } = good;

const refused: readonly [title: string, body: string, status: number, code: string, pointer: string | undefined][] = [
  ["no tenant", JSON.stringify({ user: "u", prompt: "hi" }), 400, "VALIDATION_FAILED", "/tenant"],
  ["no user", JSON.stringify({ tenant: "t", prompt: "hi" }), 400, "VALIDATION_FAILED", "/user"],
  ["no prompt", JSON.stringify(noPrompt), 400, "VALIDATION_FAILED", "/prompt"],
  ["an empty prompt", JSON.stringify({ ...good, prompt: "" }), 400, "VALIDATION_FAILED", "/prompt"],
  ["a prompt that is a number", JSON.stringify({ ...good, prompt: 7 }), 400, "VALIDATION_FAILED", "/prompt"],
  ["a prompt of null", JSON.stringify({ ...good, prompt: null }), 400, "VALIDATION_FAILED", "/prompt"],
  [
    "a prompt over 100 KiB",
    JSON.stringify({ ...good, prompt: "x".repeat(102_401) }),
    400,
    "VALIDATION_FAILED",
    "/prompt",
  ],
  [
    "a prompt over 100 KiB in bytes only",
    JSON.stringify({ ...good, prompt: "é".repeat(60_000) }),
    400,
    "VALIDATION_FAILED",
    "/prompt",
  ],
  [
    "a body over 256 KiB",
    JSON.stringify({ ...good, prompt: "x".repeat(300_000) }),
    413,
    "PAYLOAD_TOO_LARGE",
    undefined,
  ],
  ["an unknown field", JSON.stringify({ ...good, promt: "hi" }), 400, "VALIDATION_FAILED", "/promt"],
  ["a tenant with a slash", JSON.stringify({ ...good, tenant: "a/b" }), 400, "VALIDATION_FAILED", "/tenant"],
  [
    "a tenant that is a list",
    JSON.stringify({ ...good, tenant: ["tenant-demo"] }),
    400,
    "VALIDATION_FAILED",
    "/tenant",
  ],
  ["two tenants", JSON.stringify({ ...good, tenant_id: "tenant-acme" }), 400, "VALIDATION_FAILED", "/tenant_id"],
  ["metadata that is a list", JSON.stringify({ ...good, metadata: [] }), 400, "VALIDATION_FAILED", "/metadata"],
  [
    "metadata of 65 keys",
    JSON.stringify({
      ...good,
      metadata: Object.fromEntries(Array.from({ length: 65 }, (_, key) => [`k${String(key)}`, 1])),
    }),
    400,
    "VALIDATION_FAILED",
    "/metadata",
  ],
  [
    "metadata over 16 KiB",
    JSON.stringify({ ...good, metadata: { note: "x".repeat(17_000) } }),
    400,
    "VALIDATION_FAILED",
    "/metadata",
  ],
  [
    "metadata nested too deep",
    JSON.stringify({ ...good, metadata: nested(9) }),
    400,
    "VALIDATION_FAILED",
    "/metadata/a/a/a/a/a/a/a/a",
  ],
  [
    "labels that are no list",
    JSON.stringify({ ...good, metadata: { labels: "a" } }),
    400,
    "VALIDATION_FAILED",
    "/metadata/labels",
  ],
  [
    "a session id with the workflow's prefix",
    JSON.stringify({ ...good, metadata: { session_id: "session-x" } }),
    400,
    "VALIDATION_FAILED",
    "/metadata/session_id",
  ],
  [
    "a session id with a path in it",
    JSON.stringify({ ...good, metadata: { session_id: "../../etc" } }),
    400,
    "VALIDATION_FAILED",
    "/metadata/session_id",
  ],
  [
    "a session id of 129 characters",
    JSON.stringify({ ...good, metadata: { session_id: "x".repeat(129) } }),
    400,
    "VALIDATION_FAILED",
    "/metadata/session_id",
  ],
  [
    "a session id that is a number",
    JSON.stringify({ ...good, metadata: { session_id: 7 } }),
    400,
    "VALIDATION_FAILED",
    "/metadata/session_id",
  ],
  ["a model with a space", JSON.stringify({ ...good, model: "a b" }), 400, "VALIDATION_FAILED", "/model"],
  ["broken JSON", '{"tenant":"tenant-demo"', 400, "INVALID_JSON", undefined],
  [
    "a prototype key",
    '{"tenant":"t","user":"u","prompt":"p","metadata":{"__proto__":{"admin":true}}}',
    400,
    "INVALID_JSON",
    undefined,
  ],
  [
    "a constructor key",
    '{"tenant":"t","user":"u","prompt":"p","constructor":{"prototype":{"admin":true}}}',
    400,
    "INVALID_JSON",
    undefined,
  ],
];

test("bad input is answered with a problem that names the field, starts no workflow and leaves the service alive", async (context) => {
  const before = await countWorkflows();
  for (const [title, raw, status, code, pointer] of refused) {
    await context.test(title, async () => {
      const answer = await api.request("POST", "/v1/sessions/start", { raw });
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/);
      assert.equal(answer.body.code, code);
      assert.equal(answer.body.errors?.[0]?.pointer, pointer, answer.text);
    });
  }
  await context.test("another content type", async () => {
    const answer = await api.request("POST", "/v1/sessions/start", {
      raw: "tenant=t",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    assert.equal(answer.status, 415);
    assert.equal(answer.body.code, "UNSUPPORTED_MEDIA_TYPE");
  });
  await context.test("an absurd id is a 404", async () => {
    for (const id of [
      "nope",
      "session-nope",
      "a%00b",
      "..%2f..%2fetc%2fpasswd",
      "%F0%9F%92%A9",
      "x".repeat(199),
      "'; DROP TABLE sessions; --",
    ]) {
      const answer = await api.request("GET", `/v1/sessions/${id}`);
      assert.equal(answer.status, 404, `${id}: ${answer.text}`);
    }
  });
  assert.equal(await countWorkflows(), before);
  assert.equal((await api.request("GET", "/health")).status, 200);
});

async function countWorkflows(): Promise<string> {
  const { stdout } = await promisify(execFile)(stack.temporalCli, [
    "workflow",
    "count",
    "--address",
    stack.urls.temporal,
  ]);
  return stdout;
}
