import assert from "node:assert/strict";
import { test } from "node:test";
import { Type } from "typebox";
import { createLogger } from "../src/logger.ts";
import { createMetrics } from "../src/metrics.ts";
import { buildServer } from "../src/server.ts";

async function buildEcho() {
  const app = await buildServer({
    service: "echo",
    version: "0",
    description: "Echoes",
    log: createLogger("echo", "silent"),
    metrics: createMetrics("echo"),
    missing: () => [],
    bodyLimitBytes: 1000,
  });
  const Body = Type.Object(
    { name: Type.String({ pattern: "^[a-z]+$" }), kind: Type.Optional(Type.String({ enum: ["a", "b"] })) },
    { additionalProperties: false },
  );
  app.post("/echo", { schema: { body: Body } }, (request) => ({ name: request.body.name }));
  app.post("/any", { schema: { body: Type.Record(Type.String(), Type.Unknown()) } }, () => ({ ok: true }));
  return app;
}

const deep = (levels: number): string => '{"a":'.repeat(levels) + "1" + "}".repeat(levels);

const badBodies: readonly [
  title: string,
  body: string,
  contentType: string,
  status: number,
  code: string,
  pointer: string | undefined,
][] = [
  ["a missing field", "{}", "application/json", 400, "VALIDATION_FAILED", "/name"],
  ["a wrong type", '{"name":1}', "application/json", 400, "VALIDATION_FAILED", "/name"],
  ["a bad value", '{"name":"A"}', "application/json", 400, "VALIDATION_FAILED", "/name"],
  ["a value outside a closed set", '{"name":"a","kind":"c"}', "application/json", 400, "VALIDATION_FAILED", "/kind"],
  ["an unknown field", '{"name":"a","nope":1}', "application/json", 400, "VALIDATION_FAILED", "/nope"],
  ["a body that is no object", "[]", "application/json", 400, "VALIDATION_FAILED", ""],
  ["broken JSON", '{"name":', "application/json", 400, "INVALID_JSON", undefined],
  ["an empty body", "", "application/json", 400, "INVALID_JSON", undefined],
  ["__proto__", '{"name":"a","__proto__":{"x":1}}', "application/json", 400, "INVALID_JSON", undefined],
  [
    "constructor.prototype",
    '{"name":"a","constructor":{"prototype":{"x":1}}}',
    "application/json",
    400,
    "INVALID_JSON",
    undefined,
  ],
  ["another content type", "name=a", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE", undefined],
  [
    "a body over the limit",
    JSON.stringify({ name: "a".repeat(2000) }),
    "application/json",
    413,
    "PAYLOAD_TOO_LARGE",
    undefined,
  ],
];

for (const [title, body, contentType, status, code, pointer] of badBodies) {
  test(`${title} is answered with ${code} that names the field`, async () => {
    const app = await buildEcho();
    const answer = await app.inject({ method: "POST", url: "/echo", headers: { "content-type": contentType }, body });
    assert.equal(answer.statusCode, status, answer.body);
    assert.match(String(answer.headers["content-type"]), /^application\/problem\+json/);
    const problem = answer.json();
    assert.equal(problem.code, code);
    assert.equal(problem.errors?.[0]?.pointer, pointer);
    assert.equal(problem.request_id, answer.headers["x-request-id"]);
    await app.close();
  });
}

test("nesting beyond eight levels is refused, eight are not", async () => {
  const app = await buildEcho();
  const post = (body: string) =>
    app.inject({ method: "POST", url: "/any", headers: { "content-type": "application/json" }, body });
  assert.equal((await post(deep(8))).statusCode, 200);
  const refused = await post(deep(9));
  assert.equal(refused.statusCode, 400);
  assert.equal(refused.json().errors[0].pointer, "/a/a/a/a/a/a/a/a");
  await app.close();
});

test("an unknown route is a problem, and the operations routes answer", async () => {
  const app = await buildEcho();
  assert.equal((await app.inject("/nope")).json().code, "ROUTE_NOT_FOUND");
  assert.deepEqual((await app.inject("/health")).json(), { status: "ok", service: "echo", version: "0" });
  assert.equal((await app.inject("/ready")).statusCode, 200);
  assert.match((await app.inject("/metrics")).body, /soma_http_request_duration_seconds/);
  assert.equal((await app.inject("/openapi.json")).json().openapi, "3.1.0");
  assert.equal((await app.inject("/docs/")).statusCode, 200);
  await app.close();
});
