import assert from "node:assert/strict";
import { test } from "node:test";
import { openDoor } from "./real-gateway.ts";

const page = "https://console.example";
const preflight = {
  method: "OPTIONS",
  headers: { origin: page, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
};

function corsHeaders(answer: Response): string[] {
  return [...answer.headers.keys()].filter((name) => name.startsWith("access-control-"));
}

test("closed by default: no page is told anything, and a preflight is no route", async () => {
  await using door = await openDoor();
  const asked = await door.request("/v1/sessions", preflight);
  assert.equal(asked.status, 404);
  assert.deepEqual(corsHeaders(asked), []);
  const answer = await door.request("/v1/sessions", { headers: { origin: page } });
  assert.equal(answer.status, 200);
  assert.deepEqual(corsHeaders(answer), []);
});

test("open to the pages that are listed and to no other, refusals included", async () => {
  await using door = await openDoor({ GATEWAY_ALLOWED_ORIGINS: `https://other.example,${page}` });
  const asked = await fetch(`${door.gateway.url}/v1/sessions`, preflight);
  assert.equal(asked.status, 204);
  assert.equal(asked.headers.get("access-control-allow-origin"), page);
  assert.match(asked.headers.get("access-control-allow-headers") ?? "", /\bauthorization\b/);
  assert.equal(asked.headers.get("access-control-allow-credentials"), null);
  for (const [token, status] of [
    [door.token, 200],
    ["x", 401],
  ] as const) {
    const answer = await door.request("/v1/sessions", { headers: { origin: page, authorization: `Bearer ${token}` } });
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get("access-control-allow-origin"), page);
    assert.equal(answer.headers.get("vary"), "origin");
  }
  for (const origin of ["https://console.example.evil.example", "http://console.example", "null"]) {
    const answer = await door.request("/v1/sessions", { headers: { origin } });
    assert.deepEqual(corsHeaders(answer), [], origin);
    assert.equal(answer.headers.get("vary"), "origin");
    const refused = await fetch(`${door.gateway.url}/v1/sessions`, { ...preflight, headers: { origin } });
    assert.equal(refused.status, 404);
  }
});
