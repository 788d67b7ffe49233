import assert from "node:assert/strict";
import { test } from "node:test";
import type { Missing } from "../src/server.ts";
import { buildTestApp } from "./test-app.ts";

test("ready when nothing is missing, degraded without what is not required, not ready without the rest", async () => {
  let missing: Missing[] = [];
  await using served = await buildTestApp({ missing: () => missing });
  const ready = await served.app.inject("/ready");
  assert.equal(ready.statusCode, 200);
  assert.deepEqual(ready.json(), { status: "ready", missing: [] });

  missing = [{ name: "slm", address: "http://127.0.0.1:8000", required: false }];
  const degraded = await served.app.inject("/ready");
  assert.equal(degraded.statusCode, 200);
  assert.deepEqual(degraded.json(), {
    status: "degraded",
    missing: [{ name: "slm", address: "http://127.0.0.1:8000" }],
  });

  missing = [{ name: "temporal", address: "localhost:7233" }, { name: "ledger" }];
  const notReady = await served.app.inject({ url: "/ready", headers: { "x-request-id": "r-1" } });
  assert.equal(notReady.statusCode, 503);
  assert.equal(notReady.headers["retry-after"], "2");
  assert.equal(notReady.headers["content-type"], "application/problem+json; charset=utf-8");
  assert.deepEqual(notReady.json(), {
    type: "urn:soma:problem:not-ready",
    title: "The service is not ready",
    status: 503,
    detail: "Missing: temporal at localhost:7233, ledger.",
    code: "NOT_READY",
    request_id: "r-1",
    missing: [{ name: "temporal", address: "localhost:7233" }, { name: "ledger" }],
  });

  missing = [
    { name: "slm", required: false },
    { name: "worker", required: true },
  ];
  assert.equal((await served.app.inject("/ready")).statusCode, 503);
});

test("a check that fails itself is no readiness", async () => {
  await using served = await buildTestApp({
    missing: () => {
      throw new Error("canary");
    },
  });
  const answer = await served.app.inject("/ready");
  assert.equal(answer.statusCode, 500);
  assert.ok(!answer.body.includes("canary"));
});

test("liveness calls nothing: it is there while everything is missing", async () => {
  let asked = 0;
  await using served = await buildTestApp({
    missing: () => {
      asked += 1;
      return [{ name: "ledger" }];
    },
  });
  const answer = await served.app.inject("/health");
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(answer.json(), { status: "ok", service: "things", version: "7.1.0" });
  assert.equal(asked, 0);
});

test("the OpenAPI document describes the operations and the caller's routes", async () => {
  await using served = await buildTestApp();
  served.app.get("/things/:id", { schema: { summary: "A thing" } }, () => ({ ok: true }));
  await served.app.ready();
  const document = (await served.app.inject("/openapi.json")).json();
  assert.equal(document.openapi, "3.1.0");
  assert.deepEqual(document.info, { title: "Soma things", version: "7.1.0", description: "Things" });
  assert.deepEqual(Object.keys(document.paths).toSorted(), ["/health", "/metrics", "/ready", "/things/{id}"]);
  assert.match((await served.app.inject("/docs/")).body, /<html/i);
});
