import assert from "node:assert/strict";
import { test } from "node:test";
import { DomainError } from "../src/domain-error.ts";
import { buildTestApp } from "./test-app.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a harmless request id is kept, any other is replaced", async () => {
  await using served = await buildTestApp();
  const idFor = async (header?: string): Promise<unknown> => {
    const headers = header === undefined ? {} : { "x-request-id": header };
    return (await served.app.inject({ url: "/health", headers })).headers["x-request-id"];
  };
  for (const id of ["a", "r-1.2_3", "A".repeat(128), "0190f3a2-7c1e-7000-8000-000000000000"])
    assert.equal(await idFor(id), id);
  for (const id of [
    "",
    "two words",
    "a".repeat(129),
    "a/b",
    'a"b',
    "<script>",
    "a\tb",
    "ünïcödé",
    "a,b",
    "a;b",
    "${jndi:x}",
    "..\\..",
  ]) {
    const replaced = await idFor(id);
    assert.match(String(replaced), uuid, id);
  }
  assert.notEqual(await idFor(), await idFor());
});

test("every answer carries a request id, and a problem the same one, whatever went wrong", async () => {
  await using served = await buildTestApp();
  served.app.get("/things/:id", () => ({ ok: true }));
  served.app.get("/broken", () => Promise.reject(new Error("broken")));
  for (const url of ["/health", "/nope", "/broken", "/things/%ff", `/things/${"x".repeat(300)}`, "/metrics"]) {
    const answer = await served.app.inject({ url, headers: { "x-request-id": "r-1" } });
    assert.equal(answer.headers["x-request-id"], "r-1", url);
    if (answer.statusCode >= 400) assert.equal(answer.json().request_id, "r-1", url);
  }
});

test("a method or path without a route is a 404 problem that names neither", async () => {
  await using served = await buildTestApp();
  for (const [method, url] of [
    ["GET", "/nope-canary"],
    ["POST", "/health"],
    ["DELETE", "/health"],
    ["OPTIONS", "/health"],
    ["GET", "/health/"],
    ["GET", "/HEALTH"],
  ] as const) {
    const answer = await served.app.inject({ method, url });
    assert.equal(answer.statusCode, 404, `${method} ${url}`);
    assert.equal(answer.headers["content-type"], "application/problem+json; charset=utf-8");
    const { request_id, ...problem } = answer.json();
    assert.match(request_id, uuid);
    assert.deepEqual(problem, {
      type: "urn:soma:problem:route-not-found",
      title: "No such route",
      status: 404,
      detail: "No route serves this method and path; /openapi.json lists them all.",
      code: "ROUTE_NOT_FOUND",
    });
  }
  assert.equal(await served.refusals("ROUTE_NOT_FOUND"), 6);
});

test("HEAD answers as GET does, without a body", async () => {
  await using served = await buildTestApp();
  const get = await served.app.inject({ method: "GET", url: "/health" });
  const head = await served.app.inject({ method: "HEAD", url: "/health" });
  assert.equal(head.statusCode, 200);
  assert.equal(head.body, "");
  assert.equal(head.headers["content-length"], get.headers["content-length"]);
  assert.equal((await served.app.inject({ method: "HEAD", url: "/nope" })).statusCode, 404);
});

test("a part of the path that is longer than any id is 414, and one that cannot be decoded 400", async () => {
  await using served = await buildTestApp();
  served.app.get("/things/:id", (request) => ({ length: Object(request.params).id.length }));
  assert.equal((await served.app.inject(`/things/${"x".repeat(200)}`)).json().length, 200);
  const long = await served.app.inject(`/things/${"x".repeat(201)}`);
  assert.equal(long.statusCode, 414);
  assert.equal(long.json().code, "URI_TOO_LONG");
  assert.match(String(long.headers["content-type"]), /^application\/problem\+json/);
  const bad = await served.app.inject("/things/%ff");
  assert.equal(bad.statusCode, 400);
  assert.equal(bad.json().code, "VALIDATION_FAILED");
  assert.equal(await served.refusals("URI_TOO_LONG"), 1);
  assert.equal(await served.refusals("VALIDATION_FAILED"), 1);
});

test("an unknown error is 500 INTERNAL without a word of it, and the log has it once", async () => {
  await using served = await buildTestApp();
  served.app.get("/broken", () =>
    Promise.reject(Object.assign(new TypeError("canary: database password is x"), { code: "E_CANARY" })),
  );
  const answer = await served.app.inject({ url: "/broken", headers: { "x-request-id": "r-1" } });
  assert.equal(answer.statusCode, 500);
  assert.deepEqual(answer.json(), {
    type: "urn:soma:problem:internal",
    title: "The service failed",
    status: 500,
    detail: "The service failed; the log has the reason under this request id.",
    code: "INTERNAL",
    request_id: "r-1",
  });
  assert.ok(!/canary/i.test(answer.body + JSON.stringify(answer.headers)));
  const failures = served.lines().filter((line) => line["level"] === "error");
  assert.equal(failures.length, 1);
  assert.equal(failures[0]?.["request_id"], "r-1");
  assert.equal(failures[0]["code"], "INTERNAL");
  assert.equal(Object(failures[0]["err"]).message, "canary: database password is x");
  assert.equal(await served.refusals("INTERNAL"), 1);
});

test("what is thrown and is no error is 500 INTERNAL, too", async () => {
  await using served = await buildTestApp();
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  served.app.get("/text", () => Promise.reject("canary"));
  served.app.get("/late", (_request, reply) => {
    setImmediate(() => reply.send(new Error("canary")));
    return reply;
  });
  for (const url of ["/text", "/late"]) {
    const answer = await served.app.inject(url);
    assert.equal(answer.statusCode, 500, url);
    assert.equal(answer.json().code, "INTERNAL");
    assert.ok(!answer.body.includes("canary"));
  }
});

test("an error of the closed set is answered with its status, its words and its fields, and its cause stays private", async () => {
  await using served = await buildTestApp();
  const fields = [{ pointer: "/a", detail: "is odd" }];
  const cause = new Error("canary");
  const problems: Record<string, DomainError> = {
    "/conflict": new DomainError("SESSION_ID_TAKEN", "The session id is in use.", { cause }),
    "/fields": new DomainError("VALIDATION_FAILED", "/a is odd.", { fields }),
    "/down": new DomainError("AUDIT_UNAVAILABLE", "The ledger cannot be used.", { cause }),
    "/wait": new DomainError("TOO_MANY_STREAMS", "Too many.", { retryAfterSeconds: 5 }),
    "/who": new DomainError("UNAUTHENTICATED", "Send a token."),
  };
  for (const [url, error] of Object.entries(problems)) served.app.get(url, () => Promise.reject(error));
  const conflict = await served.app.inject("/conflict");
  assert.equal(conflict.statusCode, 409);
  assert.equal(conflict.json().detail, "The session id is in use.");
  assert.equal(conflict.headers["retry-after"], undefined);
  assert.deepEqual((await served.app.inject("/fields")).json().errors, fields);
  const down = await served.app.inject("/down");
  assert.equal(down.statusCode, 503);
  assert.equal(down.headers["retry-after"], "2");
  assert.ok(!down.body.includes("canary"));
  const wait = await served.app.inject("/wait");
  assert.equal(wait.statusCode, 429);
  assert.equal(wait.headers["retry-after"], "5");
  const who = await served.app.inject("/who");
  assert.equal(who.statusCode, 401);
  assert.equal(who.headers["www-authenticate"], "Bearer");
  // Only what is ours to mend is logged as a failure, with its private cause.
  const failures = served.lines().filter((line) => line["level"] === "error");
  assert.deepEqual(
    failures.map((line) => line["code"]),
    ["AUDIT_UNAVAILABLE"],
  );
  assert.equal(Object(failures[0]?.["err"]).message, "canary");
});

test("requests are logged and measured by the route's pattern, never by the path, and probes only for debugging", async () => {
  await using served = await buildTestApp();
  served.app.get("/things/:id", () => ({ ok: true }));
  await served.app.inject("/things/canary-one?secret=canary-two");
  await served.app.inject("/nope/canary-three");
  await served.app.inject("/health");
  const { body } = await served.app.inject("/metrics");
  assert.ok(!/canary/.test(body));
  assert.match(
    body,
    /^soma_http_request_duration_seconds_count\{.*method="GET",route="\/things\/:id",status="200"\} 1$/m,
  );
  assert.match(body, /^soma_http_request_duration_seconds_count\{.*method="GET",route="none",status="404"\} 1$/m);
  assert.match(body, /^soma_http_requests_refused_total\{.*code="ROUTE_NOT_FOUND".*\} 1$/m);
  assert.ok(!served.text().includes("canary"), served.text());
  const byRoute = Object.fromEntries(served.lines().map((line) => [String(line["route"]), line["level"]]));
  assert.deepEqual(byRoute, { "/things/:id": "info", none: "info", "/health": "debug", "/metrics": "debug" });
  for (const line of served.lines()) {
    assert.equal(line["msg"], "request");
    assert.ok(Number.isInteger(line["duration_ms"]));
    assert.equal(line["dropped"], undefined);
  }
});
