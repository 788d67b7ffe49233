import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startIdentityService, type IdentityService } from "../../orchestrator/test/harness/real-services.ts";
import { createGatewayMetrics } from "../src/gateway-metrics.ts";
import { IdentityClient } from "../src/identity/identity-client.ts";
import { TokenJudge } from "../src/identity/token-judge.ts";

let identity: IdentityService;
let client: IdentityClient;
before(async () => {
  identity = await startIdentityService();
  client = new IdentityClient(identity.url.origin, join(identity.credentialsDir, "gateway"));
});
after(async () => {
  await client.close();
  await identity[Symbol.asyncDispose]();
});

const login = () =>
  identity.login({ user_id: "user-demo", tenant_id: "tenant-demo", capabilities: ["session.read"], ttl_seconds: 600 });

/** A judge with clocks of the test's own, and how often it asked. */
function judgeWithClock() {
  const time = { monotonic: 0, wall: Date.now(), asked: 0 };
  const judge = new TokenJudge({
    verify: (token) => {
      time.asked += 1;
      return client.verify(token);
    },
    metrics: createGatewayMetrics(),
    clock: () => time.monotonic,
    now: () => time.wall,
  });
  return { judge, time };
}

test("a good token is asked about once in ten seconds, and a revoked one is seen then", async () => {
  const { judge, time } = judgeWithClock();
  const token = await login();
  assert.equal(judge.wasGood(token), false);
  const first = await judge.judge(token);
  assert.ok("caller" in first);
  assert.deepEqual(first.caller, { tenant: "tenant-demo", user: "user-demo", scopes: ["session.read"] });
  const revoked = await fetch(new URL("/v1/tokens/revoke", identity.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  assert.equal(revoked.status, 200);
  time.monotonic = 9_999;
  assert.ok("caller" in (await judge.judge(token)));
  assert.equal(time.asked, 1);
  assert.equal(judge.wasGood(token), true);
  time.monotonic = 10_000;
  assert.ok("refused" in (await judge.judge(token)));
  assert.equal(judge.wasGood(token), false);
});

test("a token does not outlive its end, however fresh the answer was", async () => {
  const { judge, time } = judgeWithClock();
  const token = await login();
  await judge.judge(token);
  time.wall += 600_000;
  assert.equal(judge.wasGood(token), false);
  await judge.judge(token);
  assert.equal(time.asked, 2);
});

test("a bad token is asked about each time", async () => {
  const { judge, time } = judgeWithClock();
  for (let count = 0; count < 3; count += 1) assert.ok("refused" in (await judge.judge("a.b.c")));
  assert.equal(time.asked, 3);
});

test("many requests with one token ask once", async () => {
  const { judge, time } = judgeWithClock();
  const token = await login();
  const judged = await Promise.all(Array.from({ length: 50 }, () => judge.judge(token)));
  assert.equal(time.asked, 1);
  assert.ok(judged.every((judgement) => "caller" in judgement));
});

test("a question that failed is no answer: the next one asks again", async () => {
  const metrics = createGatewayMetrics();
  const nobody = new IdentityClient("http://127.0.0.1:1", join(identity.credentialsDir, "gateway"));
  const clients = [nobody, client];
  const judge = new TokenJudge({ verify: (token) => (clients.shift() ?? client).verify(token), metrics });
  const token = await login();
  await assert.rejects(judge.judge(token), { code: "IDENTITY_UNAVAILABLE" });
  assert.ok("caller" in (await judge.judge(token)));
  await nobody.close();
});

test("what is remembered of tokens is bounded", async () => {
  const token = await login();
  const verification = await client.verify(token);
  let asked = 0;
  const judge = new TokenJudge({
    verify: () => {
      asked += 1;
      return Promise.resolve(verification);
    },
    metrics: createGatewayMetrics(),
  });
  for (let index = 0; index <= 10_000; index += 1) await judge.judge(`t${String(index)}`);
  assert.equal(judge.wasGood("t0"), false);
  assert.equal(judge.wasGood("t1"), true);
  assert.equal(asked, 10_001);
});
