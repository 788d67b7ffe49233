import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { CreatedApiKey } from "@soma/contracts/api-key";
import { withOtherSignature } from "../../packages/kit/test/forged-token.ts";
import { openDoor, type Door } from "../harness/door.ts";
import { tokenOf } from "../harness/tokens.ts";

/**
 * Every route that the outside can see, asked by those who must not get through. The expected answers are literals: a
 * route without a row, and a row without a route, fails.
 *
 * Columns: no token · a broken one · a forged one · a valid one without any scope of the route · one of another tenant
 * with every scope · the owner's, with another tenant named in the body, in a header, in the query. `-`: not asked,
 * because the route takes no body.
 */
type Expected = readonly [number, number, number, number, number, number | "-", number, number];

const open = [200, 200, 200, 200, 200, "-", 200, 200] as const;
const rows: Readonly<Record<string, Expected>> = {
  "GET /health": open,
  "GET /ready": open,
  "GET /metrics": open,
  "GET /.well-known/jwks.json": open,
  // Whoever logs in has no token of ours yet: what counts is the issuer's.
  "POST /v1/login": [401, 401, 401, 401, 401, 401, 401, 401],
  "POST /v1/sessions": [401, 401, 401, 403, 202, 403, 403, 403],
  "POST /v1/sessions/start": [401, 401, 401, 403, 202, 403, 403, 403],
  "GET /v1/sessions": [401, 401, 401, 403, 200, "-", 403, 403],
  "GET /v1/sessions/{id}": [401, 401, 401, 403, 404, "-", 403, 403],
  "GET /v1/sessions/{id}/events": [401, 401, 401, 403, 404, "-", 403, 403],
  "POST /v1/sessions/{id}/actions/message": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/approve": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/deny": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/pause": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/resume": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/cancel": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/terminate": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/retry": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/sessions/{id}/actions/extend-budget": [401, 401, 401, 403, 404, 403, 403, 403],
  "GET /v1/sessions/{id}/diagnosis": [401, 401, 401, 403, 404, "-", 403, 403],
  // The other tenant's admin stops and erases in his own tenant, where these are not.
  "POST /v1/stops": [401, 401, 401, 403, 404, 404, 403, 403],
  "POST /v1/erasures": [401, 401, 401, 403, 200, 404, 403, 403],
  "POST /v1/tenants": [401, 401, 401, 403, 403, 403, 403, 403],
  "GET /v1/tenants": [401, 401, 401, 403, 403, "-", 403, 403],
  "GET /v1/tenants/{tenant}": [401, 401, 401, 403, 404, "-", 403, 403],
  "PATCH /v1/tenants/{tenant}": [401, 401, 401, 403, 404, 403, 403, 403],
  "POST /v1/tenants/{tenant}/suspend": [401, 401, 401, 403, 403, 403, 403, 403],
  "POST /v1/tenants/{tenant}/resume": [401, 401, 401, 403, 403, 403, 403, 403],
  "GET /v1/tenants/{tenant}/events": [401, 401, 401, 403, 404, "-", 403, 403],
  "POST /v1/api-keys": [401, 401, 401, 403, 201, 404, 403, 403],
  "GET /v1/api-keys": [401, 401, 401, 403, 200, "-", 403, 404],
  "DELETE /v1/api-keys/{id}": [401, 401, 401, 403, 404, "-", 403, 404],
  // The other tenant's own policy lets its admins use no model.
  "POST /v1/chat/completions": [401, 401, 401, 403, 403, 403, 403, 403],
  "POST /v1/responses": [401, 401, 401, 403, 403, 403, 403, 403],
  "GET /v1/responses/{id}": [401, 401, 401, 403, 404, "-", 403, 403],
  "POST /v1/responses/{id}/cancel": [401, 401, 401, 403, 404, 403, 403, 403],
  "GET /v1/models": [401, 401, 401, 403, 200, "-", 403, 403],
  "GET /v1/models/{id}": [401, 401, 401, 403, 200, "-", 403, 403],
};

const approval = { approval_id: `apr_${"0".repeat(32)}`, action_digest: `sha256:${"0".repeat(64)}` };

/** What a good request to the route says, where it says anything. */
const bodies: Readonly<Record<string, Record<string, unknown>>> = {
  "POST /v1/login": { tenant: "tenant-demo", token: "not.a.token" },
  "POST /v1/sessions": { prompt: "Say yes." },
  "POST /v1/sessions/start": { prompt: "Say yes." },
  "POST /v1/sessions/{id}/actions/message": { text: "Say yes." },
  "POST /v1/sessions/{id}/actions/approve": approval,
  "POST /v1/sessions/{id}/actions/deny": approval,
  "POST /v1/sessions/{id}/actions/pause": {},
  "POST /v1/sessions/{id}/actions/resume": {},
  "POST /v1/sessions/{id}/actions/cancel": {},
  "POST /v1/sessions/{id}/actions/terminate": {},
  "POST /v1/sessions/{id}/actions/retry": {},
  "POST /v1/sessions/{id}/actions/extend-budget": { tokens: 10 },
  "POST /v1/tenants": { tenant: "tenant-of-a-test" },
  "POST /v1/stops": { scope: "session", target: "nobodys-session", reason: "a test" },
  "POST /v1/erasures": { user: "nobody-of-this-name" },
  "PATCH /v1/tenants/{tenant}": { name: "changed" },
  "POST /v1/tenants/{tenant}/suspend": {},
  "POST /v1/tenants/{tenant}/resume": {},
  "POST /v1/api-keys": { name: "of a test", role: "viewer" },
  "POST /v1/chat/completions": { model: "smollm2-135m-instruct", messages: [{ role: "user", content: "Say yes." }] },
  "POST /v1/responses": { model: "smollm2-135m-instruct", input: "Say yes." },
  "POST /v1/responses/{id}/cancel": {},
};

let door: Door;
let owner = "";
let foreign = "";
/** Words that stand in what belongs to the owner; in an answer to anybody else they are a leak. */
let canary = "";
let sessionId = "";
let keyId = "";
const cleanUps: (() => Promise<void>)[] = [];

async function makeKey(by: string, body: Record<string, unknown>): Promise<CreatedApiKey> {
  const answer = await door.api.request<CreatedApiKey>("POST", "/v1/api-keys", {
    body,
    headers: { authorization: `Bearer ${by}` },
  });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

before(async () => {
  door = await openDoor({ after: (clean) => void cleanUps.push(clean) });
  owner = await tokenOf("tenant-demo", "admin-demo");
  const platform = await tokenOf("platform", "platform-admin");
  // The registry knows the tenant; here it comes to exist when it is first used, or made.
  const made = await door.api.request("POST", "/v1/tenants", {
    body: { tenant: "tenant-acme" },
    headers: { authorization: `Bearer ${platform}` },
  });
  assert.equal(made.status, 201, made.text);
  foreign = (await makeKey(platform, { tenant: "tenant-acme", name: "foreign", role: "admin" })).secret;
  canary = `canary-${randomUUID()}`;
  sessionId = `sess-${randomUUID()}`;
  const bearer = { authorization: `Bearer ${owner}` };
  const started = await door.api.request("POST", "/v1/sessions/start", {
    body: { prompt: `Repeat: ${canary}`, metadata: { session_id: sessionId, labels: [canary] } },
    headers: bearer,
  });
  assert.equal(started.status, 202, started.text);
  keyId = (await makeKey(owner, { name: canary, role: "viewer" })).key_id;
});
after(async () => {
  for (const clean of cleanUps.toReversed()) await clean();
});

async function ask(
  route: string,
  token: string | undefined,
  more: { tenant?: "body" | "header" | "query" } = {},
): Promise<{ status: number; text: string }> {
  const [method = "", pattern = ""] = route.split(" ");
  const params: Readonly<Record<string, string>> = {
    "{tenant}": "tenant-demo",
    "{id}": route.includes("/api-keys/")
      ? keyId
      : route.includes("/models/")
        ? "smollm2-135m-instruct"
        : route.includes("/responses/")
          ? `resp_${sessionId}`
          : sessionId,
  };
  const path = pattern.replace(/\{[a-z_]+\}/g, (name) => params[name] ?? name);
  const body = bodies[route];
  const answer = await fetch(door.gateway.url + path + (more.tenant === "query" ? "?tenant=tenant-acme" : ""), {
    method,
    headers: {
      "x-request-id": "same",
      ...(body && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(more.tenant === "header" && { "x-tenant-id": "tenant-acme" }),
    },
    ...(body && { body: JSON.stringify({ ...body, ...(more.tenant === "body" && { tenant: "tenant-acme" }) }) }),
  });
  return { status: answer.status, text: await answer.text() };
}

test("the table has a row for every route of the gateway, and no other", async () => {
  const answer = await door.api.request<{ paths: Record<string, Record<string, unknown>> }>("GET", "/openapi.json");
  const routes = Object.entries(answer.body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // What an operator's probes ask is the gateway's own and no part of the API.
  const operations = ["GET /health", "GET /ready", "GET /metrics"];
  assert.deepEqual([...routes, ...operations].toSorted(), Object.keys(rows).toSorted());
});

for (const [route, expected] of Object.entries(rows)) {
  test(`${route}: who does not belong there does not get there`, async () => {
    const scopeless = await tokenOf("tenant-demo", "admin-demo", ["model.embed"]);
    const [none, broken, forged, scope, another, inBody, inHeader, inQuery] = expected;
    const leaks: string[] = [];
    const look = async (who: string, wanted: number | "-", asked: () => ReturnType<typeof ask>): Promise<void> => {
      if (wanted === "-") return;
      const answer = await asked();
      assert.equal(answer.status, wanted, `${who}: ${answer.text.slice(0, 300)}`);
      if (answer.text.includes(canary)) leaks.push(who);
    };
    await look("no token", none, () => ask(route, undefined));
    await look("a broken token", broken, () => ask(route, "abc"));
    await look("a forged token", forged, () => ask(route, withOtherSignature(owner)));
    await look("without scope", scope, () => ask(route, scopeless));
    await look("another tenant", another, () => ask(route, foreign));
    await look("another tenant in the body", inBody, () => ask(route, owner, { tenant: "body" }));
    await look("another tenant in a header", inHeader, () => ask(route, owner, { tenant: "header" }));
    await look("another tenant in the query", inQuery, () => ask(route, owner, { tenant: "query" }));
    assert.deepEqual(leaks, []);
  });
}

test("the orchestrator itself serves none of them to whoever does not come through the gateway, address or not", async () => {
  for (const route of Object.keys(rows)) {
    if (open === rows[route] || route === "POST /v1/login") continue;
    const [method = "", pattern = ""] = route.split(" ");
    const answer = await fetch(door.orchestrator.url + pattern.replaceAll(/\{\w+\}/g, sessionId), {
      method,
      headers: {
        authorization: `Bearer ${owner}`,
        "x-forwarded-for": new URL(door.gateway.url).host,
        forwarded: "for=127.0.0.1;by=gateway",
        ...(bodies[route] && { "content-type": "application/json" }),
      },
      ...(bodies[route] && { body: JSON.stringify(bodies[route]) }),
    });
    const text = await answer.text();
    assert.equal(answer.status, 403, `${route}: ${text}`);
    assert.match(text, /GATEWAY_REQUIRED|gateway_required/, route);
  }
});
