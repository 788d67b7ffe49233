import assert from "node:assert/strict";
import { test } from "node:test";
import { openapiDocuments } from "../../scripts/reference/openapi.ts";

const operations = ["GET /health", "GET /metrics", "GET /ready"];

const pinned: Readonly<Record<string, readonly string[]>> = {
  orchestrator: [
    ...operations,
    "POST /v1/chat/completions",
    "GET /v1/models",
    "GET /v1/models/{id}",
    "POST /v1/responses",
    "GET /v1/responses/{id}",
    "POST /v1/responses/{id}/cancel",
    "GET /v1/sessions",
    "POST /v1/sessions",
    "POST /v1/sessions/start",
    "GET /v1/sessions/{id}",
    "POST /v1/sessions/{id}/actions/message",
    "POST /v1/sessions/{id}/actions/approve",
    "POST /v1/sessions/{id}/actions/deny",
    "POST /v1/sessions/{id}/actions/pause",
    "POST /v1/sessions/{id}/actions/resume",
    "POST /v1/sessions/{id}/actions/cancel",
    "POST /v1/sessions/{id}/actions/terminate",
    "POST /v1/sessions/{id}/actions/retry",
    "POST /v1/sessions/{id}/actions/extend-budget",
    "GET /v1/sessions/{id}/diagnosis",
    "POST /v1/stops",
    "POST /v1/erasures",
    "GET /v1/sessions/{id}/events",
    "GET /v1/tenants",
    "POST /v1/tenants",
    "GET /v1/tenants/{tenant}",
    "PATCH /v1/tenants/{tenant}",
    "POST /v1/tenants/{tenant}/suspend",
    "POST /v1/tenants/{tenant}/resume",
    "GET /v1/tenants/{tenant}/events",
    "GET /v1/tenants/{tenant}/admission",
    "GET /v1/api-keys",
    "POST /v1/api-keys",
    "DELETE /v1/api-keys/{id}",
    "POST /v1/access-reports",
  ],
  gateway: [
    ...operations,
    "GET /.well-known/jwks.json",
    "POST /v1/login",
    "POST /v1/chat/completions",
    "POST /v1/responses",
    "GET /v1/responses/{id}",
    "POST /v1/responses/{id}/cancel",
    "GET /v1/models",
    "GET /v1/models/{id}",
    "GET /v1/sessions",
    "POST /v1/sessions",
    "POST /v1/sessions/start",
    "GET /v1/sessions/{id}",
    "POST /v1/sessions/{id}/actions/message",
    "POST /v1/sessions/{id}/actions/approve",
    "POST /v1/sessions/{id}/actions/deny",
    "POST /v1/sessions/{id}/actions/pause",
    "POST /v1/sessions/{id}/actions/resume",
    "POST /v1/sessions/{id}/actions/cancel",
    "POST /v1/sessions/{id}/actions/terminate",
    "POST /v1/sessions/{id}/actions/retry",
    "POST /v1/sessions/{id}/actions/extend-budget",
    "GET /v1/sessions/{id}/diagnosis",
    "POST /v1/stops",
    "POST /v1/erasures",
    "GET /v1/sessions/{id}/events",
    "GET /v1/tenants",
    "POST /v1/tenants",
    "GET /v1/tenants/{tenant}",
    "PATCH /v1/tenants/{tenant}",
    "POST /v1/tenants/{tenant}/suspend",
    "POST /v1/tenants/{tenant}/resume",
    "GET /v1/tenants/{tenant}/events",
    "GET /v1/api-keys",
    "POST /v1/api-keys",
    "DELETE /v1/api-keys/{id}",
  ],
  "codec-server": [...operations, "POST /decode", "POST /encode"],
  "policy-engine": [...operations, "POST /v1/evaluate", "GET /v1/packs"],
  "identity-service": [
    ...operations,
    "GET /.well-known/jwks.json",
    "GET /v1/api-keys",
    "POST /v1/api-keys",
    "DELETE /v1/api-keys/{tenant}/{key_id}",
    "GET /v1/tenants/{tenant}",
    "PUT /v1/tenants/{tenant}",
    "POST /v1/login",
    "POST /v1/tokens/exchange",
    "POST /v1/tokens/issue",
    "POST /v1/tokens/revoke",
    "POST /v1/tokens/verify",
  ],
};

test("each service has these routes, in the documents that its own app gives out, and no others", async () => {
  const routes = new Map<string, string[]>();
  for (const [service, text] of await openapiDocuments()) {
    const document: { paths: Record<string, Record<string, unknown>> } = JSON.parse(text);
    routes.set(
      service,
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    );
  }
  assert.deepEqual(
    Object.fromEntries([...routes].map(([service, found]) => [service, found.toSorted()])),
    Object.fromEntries(Object.entries(pinned).map(([service, listed]) => [service, listed.toSorted()])),
  );
});
