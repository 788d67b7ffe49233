import assert from "node:assert/strict";
import { test } from "node:test";
import { openapiDocuments } from "../../../scripts/reference/openapi.ts";
import { routeTable } from "../src/route-table.ts";

/** Routes of the orchestrator that are not for the outside; whoever adds one says so here. */
const internal = [
  "GET /health",
  "GET /ready",
  "GET /metrics",
  // The gateway's own questions.
  "GET /v1/tenants/{tenant}/admission",
  "POST /v1/access-reports",
];

test("every route of the orchestrator has a row in the gateway's table, or is known to be internal", async () => {
  const text = (await openapiDocuments()).get("orchestrator") ?? "";
  const { paths }: { paths: Record<string, Record<string, unknown>> } = JSON.parse(text);
  const theirs = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const ours = new Set(routeTable.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`));
  assert.ok(theirs.length > internal.length);
  assert.deepEqual(theirs.filter((route) => !ours.has(route)).toSorted(), internal.toSorted());
});

test("a row that takes a body names its schema, and a start names its right", () => {
  for (const { method, path, body, starts, needs } of routeTable) {
    // Actions that need no word more take none.
    const bodiless = /\/(cancel|terminate|pause|resume|retry)$/.test(path) && !path.startsWith("/v1/tenants");
    if (method === "POST" && !bodiless) assert.ok(body, path);
    if (starts === true) assert.ok(needs !== "open" && needs.includes("session.start"), path);
  }
});
