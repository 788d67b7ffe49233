import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AccessRefusal } from "@soma/contracts/access";
import { withOtherSignature } from "../../../packages/kit/test/forged-token.ts";
import { openSession } from "../../orchestrator/test/harness/sessions.ts";
import { admission } from "../src/admission/admission.ts";
import { bodyOf } from "./body-of.ts";
import { openDoor, type Door } from "./real-gateway.ts";

let door: Door;
let viewer: string;
let modelToken: string;
before(async () => {
  door = await openDoor();
  await openSession(door.orchestrator.ledger);
  viewer = await door.identity.login({
    user_id: "viewer-demo",
    tenant_id: "tenant-demo",
    capabilities: ["session.read"],
  });
  const secret = readFileSync(join(door.identity.credentialsDir, "orchestrator"), "utf8").trim();
  const issued = await fetch(new URL("/v1/tokens/issue", door.identity.url), {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({
      user_id: "user-demo",
      tenant_id: "tenant-demo",
      capabilities: ["model.complete"],
      audience: "somagent-slm",
    }),
  });
  modelToken = String((await bodyOf(issued))["token"]);
});
after(() => door[Symbol.asyncDispose]());

test("the table is this, in this order", () => {
  assert.deepEqual(
    admission.map(({ name, at, on }) => `${at} ${on}: ${name}`),
    [
      "head all: size",
      "head all: content-type",
      "head open: strangers",
      "head callers: token",
      "head callers: tenant",
      "head callers: scope",
      "head callers: rate",
      "head callers: concurrency",
      "head callers: suspended",
      "head callers: quota",
      "body callers: streams",
      "body callers: tenant-in-body",
      "body all: schema",
    ],
  );
});

interface Attempt {
  readonly method?: string;
  readonly path?: string;
  readonly token?: () => string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const json = { "content-type": "application/json" };
const good = JSON.stringify({ prompt: "hi" });
/** What is wrong, what it is refused with; each is wrong in what comes later, too, so that the order is seen. */
const refusals: readonly [what: string, AccessRefusal, status: number, code: string, Attempt][] = [
  [
    "too large by its own word, of another type, without a token",
    "size",
    413,
    "PAYLOAD_TOO_LARGE",
    { method: "POST", headers: { "content-type": "text/plain" }, body: "x".repeat(262_145), token: () => undefined },
  ],
  [
    "of another type, without a token",
    "content_type",
    415,
    "UNSUPPORTED_MEDIA_TYPE",
    { method: "POST", headers: { "content-type": "text/plain" }, body: good, token: () => undefined },
  ],
  [
    "a type that only begins like JSON",
    "content_type",
    415,
    "UNSUPPORTED_MEDIA_TYPE",
    { method: "POST", headers: { "content-type": "application/json-patch+json" }, body: good },
  ],
  [
    "a body that is encoded",
    "content_type",
    415,
    "UNSUPPORTED_MEDIA_TYPE",
    { method: "POST", headers: { ...json, "content-encoding": "gzip" }, body: good },
  ],
  [
    "no token, and another tenant",
    "no_token",
    401,
    "UNAUTHENTICATED",
    { path: "/v1/sessions?tenant=tenant-acme", token: () => undefined },
  ],
  ["no bearer token", "malformed", 401, "UNAUTHENTICATED", { headers: { authorization: "Basic dXNlcjpwYXNz" } }],
  ["a token of 9,000 characters", "malformed", 401, "UNAUTHENTICATED", { token: () => "x".repeat(9_000) }],
  [
    "a forged token, and another tenant",
    "signature",
    401,
    "UNAUTHENTICATED",
    { path: "/v1/sessions?tenant=tenant-acme", token: () => withOtherSignature(door.token) },
  ],
  ["a token for another service", "audience", 401, "UNAUTHENTICATED", { token: () => modelToken }],
  [
    "another tenant in the query, and no right to start",
    "tenant_mismatch",
    403,
    "PRINCIPAL_MISMATCH",
    { method: "POST", path: "/v1/sessions?tenant=tenant-acme", headers: json, body: good, token: () => viewer },
  ],
  [
    "two tenants in the query",
    "tenant_mismatch",
    403,
    "PRINCIPAL_MISMATCH",
    { path: "/v1/sessions?tenant=tenant-demo&tenant=tenant-acme" },
  ],
  [
    "another tenant in the query, spelt otherwise",
    "tenant_mismatch",
    403,
    "PRINCIPAL_MISMATCH",
    { path: "/v1/sessions?%74enant=tenant%2Dacme" },
  ],
  [
    "another tenant in a header",
    "tenant_mismatch",
    403,
    "PRINCIPAL_MISMATCH",
    { headers: { "X-Tenant-Id": "tenant-acme" } },
  ],
  [
    "no right to start, and no JSON",
    "scope",
    403,
    "FORBIDDEN",
    { method: "POST", headers: json, body: "{", token: () => viewer },
  ],
  [
    "another tenant in the body, and a field that is not known",
    "tenant_mismatch",
    403,
    "PRINCIPAL_MISMATCH",
    { method: "POST", headers: json, body: JSON.stringify({ tenant: "tenant-acme", prompt: "hi", more: 1 }) },
  ],
  [
    "another tenant under its other name in the body",
    "tenant_mismatch",
    403,
    "PRINCIPAL_MISMATCH",
    { method: "POST", headers: json, body: JSON.stringify({ tenant_id: "tenant-acme", prompt: "hi" }) },
  ],
  ["no JSON", "schema", 400, "INVALID_JSON", { method: "POST", headers: json, body: "{" }],
  [
    "JSON with a forbidden key",
    "schema",
    400,
    "INVALID_JSON",
    { method: "POST", headers: json, body: '{"prompt":"hi","__proto__":{}}' },
  ],
  [
    "a body that does not fit its schema",
    "schema",
    400,
    "VALIDATION_FAILED",
    { method: "POST", headers: json, body: '{"prompt":"","more":1}' },
  ],
  [
    "a body that is nested too deep",
    "schema",
    400,
    "VALIDATION_FAILED",
    { method: "POST", headers: json, body: `{"prompt":"hi","metadata":${'{"a":'.repeat(9)}1${"}".repeat(9)}}` },
  ],
];

for (const [what, reason, status, code, attempt] of refusals) {
  test(`${what}: ${String(status)} ${code} (${reason}), counted, and the orchestrator does not hear of it`, async () => {
    const counted = (await door.refusals())[reason] ?? 0;
    door.orchestrator.seen.length = 0;
    const { method = "GET", path = "/v1/sessions", token = () => door.token, headers = {}, body } = attempt;
    const bearer = token();
    const answer = await fetch(door.gateway.url + path, {
      method,
      headers: { ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }), ...headers },
      ...(body !== undefined && { body }),
    });
    const problem = await bodyOf(answer);
    assert.deepEqual([answer.status, problem["code"]], [status, code], JSON.stringify(problem));
    assert.equal(answer.headers.get("content-type"), "application/problem+json; charset=utf-8");
    assert.equal(problem["request_id"], answer.headers.get("x-request-id"));
    assert.equal((await door.refusals())[reason], counted + 1);
    assert.deepEqual(door.orchestrator.seen, []);
  });
}

test("all bad tokens get one answer, but for the request's id", async () => {
  const tokens = ["x", withOtherSignature(door.token), modelToken, `${door.token}x`, "a.b.c"];
  const answers = await Promise.all(
    tokens.map(async (token) => {
      const answer = await door.request("/v1/sessions", { headers: { authorization: `Bearer ${token}` } });
      return JSON.stringify({ ...(await bodyOf(answer)), request_id: "" });
    }),
  );
  assert.equal(new Set(answers).size, 1);
});

test("a field that does not fit is named by its pointer, in the orchestrator's own words", async () => {
  const body = '{"prompt":7,"more":1}';
  const atTheDoor = await bodyOf(await door.request("/v1/sessions", { method: "POST", headers: json, body }));
  const { app, url } = door.orchestrator;
  const sign = door.gateway.parts.sign;
  const authorization = `Bearer ${door.token}`;
  const hop = await sign({ method: "POST", path: "/v1/sessions", body, authorization });
  const behind = await app.inject({
    method: "POST",
    url: `${url}/v1/sessions`.slice(url.length),
    headers: { ...json, authorization, "x-soma-hop": hop },
    payload: body,
  });
  assert.deepEqual({ ...atTheDoor, request_id: "" }, { ...behind.json<object>(), request_id: "" });
  assert.equal(JSON.stringify(atTheDoor["errors"]).includes("/more"), true);
});

test("metadata is the caller's own: a tenant that it names means nothing", async () => {
  const body = JSON.stringify({ prompt: "hi", metadata: { tenant: "tenant-acme", tenant_id: "tenant-acme" } });
  const answer = await door.request("/v1/sessions", { method: "POST", headers: json, body });
  assert.equal((await bodyOf(answer))["code"], "TEMPORAL_UNAVAILABLE");
});

test("what has no row in the table is 404: the orchestrator's own, other methods, other spellings", async () => {
  door.orchestrator.seen.length = 0;
  const unknown: readonly [method: string, path: string][] = [
    ["POST", "/v1/access-reports"],
    ["GET", "/v1/tenants/tenant-demo/admission"],
    ["GET", "/v1/sessions/sess-1/"],
    ["GET", "//v1/sessions"],
    ["GET", "/v1/Sessions"],
    ["GET", "/v1/sessions/../tokens/issue"],
    ["POST", "/v1/tokens/issue"],
    ["POST", "/v1/tokens/verify"],
    ["HEAD", "/v1/sessions"],
    ["PUT", "/v1/sessions"],
    ["OPTIONS", "/v1/sessions"],
    ["DELETE", "/v1/sessions/sess-1"],
    ["GET", "/"],
  ];
  for (const [method, path] of unknown) {
    const answer = await door.request(path, { method });
    assert.equal(answer.status, 404, `${method} ${path}`);
  }
  assert.deepEqual(door.orchestrator.seen, []);
});

test("the own operations need nobody, and say who is missing", async () => {
  for (const path of ["/health", "/ready", "/metrics"])
    assert.equal((await fetch(door.gateway.url + path)).status, 200, path);
  assert.deepEqual(await bodyOf(await fetch(`${door.gateway.url}/ready`)), { status: "ready", missing: [] });
});

test("the key set passes without a token, from the identity service", async () => {
  const answer = await fetch(`${door.gateway.url}/.well-known/jwks.json`);
  assert.equal(answer.status, 200);
  const theirs = await fetch(new URL("/.well-known/jwks.json", door.identity.url));
  assert.deepEqual(await bodyOf(answer), await bodyOf(theirs));
});
