import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { defaultQuotas } from "@soma/contracts/tenant";
import { until } from "../../../tests/harness/until.ts";
import { head, openRaw } from "../../../tests/harness/raw-connection.ts";
import { openSession } from "../../orchestrator/test/harness/sessions.ts";
import { bodyOf } from "./body-of.ts";
import { openBrokenDoor } from "./broken-orchestrator.ts";
import { openDoor } from "./real-gateway.ts";

// This orchestrator knows no settings of these tenants: the default quotas count.
suite("what one tenant may have at once", { concurrency: true }, () => {
  test("requests: beyond the bucket it is 429 with Retry-After, and another tenant is served", async () => {
    await using door = await openDoor();
    await openSession(door.orchestrator.ledger);
    const refusal = await until("the bucket is empty", async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => door.request("/v1/sessions/sess-1")));
      return answers.find(({ status }) => status === 429);
    });
    assert.equal((await bodyOf(refusal))["code"], "RATE_LIMITED");
    assert.match(refusal.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    const acme = await door.identity.login({
      user_id: "user-acme",
      tenant_id: "tenant-acme",
      capabilities: ["session.read"],
    });
    const other = await door.request("/v1/sessions", { headers: { authorization: `Bearer ${acme}` } });
    assert.equal(other.status, 200);
  });

  test("requests under way: the 65th is 429, and the next one is served when one has ended", async () => {
    const waiting: (() => void)[] = [];
    await using door = await openBrokenDoor((_request, response) => {
      waiting.push(() => response.end("{}"));
    });
    const under = Array.from({ length: defaultQuotas.concurrent_requests }, () => door.request("/v1/sessions"));
    await until("all are under way", () => Promise.resolve(waiting.length === 64 || undefined));
    const refused = await door.request("/v1/sessions");
    assert.equal((await bodyOf(refused))["code"], "CONCURRENCY_LIMITED");
    assert.equal(refused.headers.get("retry-after"), "1");
    waiting.splice(0).forEach((end) => {
      end();
    });
    await Promise.all(under);
    const next = door.request("/v1/sessions");
    await until("it is under way", () => Promise.resolve(waiting.length === 1 || undefined));
    waiting[0]?.();
    assert.equal((await next).status, 200);
    assert.equal(door.gateway.parts.underWay.all, 0);
  });

  test("streams: those of all tenants are bounded, and a place is free again when its stream has ended", async () => {
    await using door = await openDoor({ GATEWAY_MAX_STREAMS: "2" });
    await openSession(door.orchestrator.ledger);
    const asked = head("GET", "/v1/sessions/sess-1/events", {
      authorization: `Bearer ${door.token}`,
      accept: "text/event-stream",
    });
    const first = await openRaw(door.gateway.url, asked);
    const second = await openRaw(door.gateway.url, asked);
    await Promise.all([first.until(/session\.created/), second.until(/session\.created/)]);
    const third = await openRaw(door.gateway.url, asked);
    await third.until(/^HTTP\/1\.1 429 [\s\S]*retry-after: 5\r\n[\s\S]*TOO_MANY_STREAMS/i);
    assert.equal((await door.refusals())["streams"], 1);
    first.socket.destroy();
    await until("a place is free", () => Promise.resolve(door.gateway.parts.streams.all === 1 || undefined));
    const fourth = await openRaw(door.gateway.url, asked);
    await fourth.until(/session\.created/);
    for (const raw of [second, third, fourth]) raw.socket.destroy();
  });

  test("strangers: bad tokens do not reach the identity service for long, and who was good before does not wait", async () => {
    await using door = await openDoor({ GATEWAY_UNKNOWN_PER_MINUTE: "5" });
    await openSession(door.orchestrator.ledger);
    assert.equal((await door.request("/v1/sessions/sess-1")).status, 200);
    const asked = async () => {
      const { values } = await door.gateway.parts.metrics.tokens.get();
      return values.find(({ labels }) => labels.result === "refused")?.value ?? 0;
    };
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const authorization = `Bearer a.b.c${String(index)}`;
        return (await door.request("/v1/sessions/sess-1", { headers: { authorization } })).status;
      }),
    );
    assert.equal(statuses.filter((status) => status === 401).length, 5);
    assert.equal(statuses.filter((status) => status === 429).length, 25);
    assert.equal(await asked(), 5);
    assert.equal((await door.request("/v1/sessions/sess-1")).status, 200);
    const login = await fetch(`${door.gateway.url}/v1/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"tenant":"tenant-demo","token":"a.b.c"}',
    });
    assert.equal(login.status, 429, "logins are of the same address");
  });
});
