import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "@soma/kit/metrics";
import { cut, json, startScriptedServer, type Answer } from "../../../../packages/kit/test/scripted-server.ts";
import { guardClients } from "../../src/adapters/guarded-clients.ts";
import { createIdentityClient } from "../../src/adapters/identity-client.ts";
import { createModelClient } from "../../src/adapters/model-client.ts";
import { createPolicyClient } from "../../src/adapters/policy-client.ts";
import { createSessionMetrics } from "../../src/session-metrics.ts";
import { code } from "../ledger/refusal.ts";
import { done, finish, piece, stream, usage } from "./sse.ts";

/** The guarded clients, all of one server that answers by a script. */
async function guarded(script: readonly Answer[], isRetry = false) {
  const server = await startScriptedServer(...script);
  const { registry } = createMetrics("test");
  const clients = {
    policy: createPolicyClient(new URL("/v1/evaluate", server.url)),
    identity: createIdentityClient(server.url, "/nowhere"),
    model: createModelClient(server.url),
  };
  const { model, identity } = guardClients(clients, {
    metrics: createSessionMetrics(registry),
    isRetry: () => isRetry,
  });
  return {
    server,
    complete: () =>
      model.complete({
        messages: [{ role: "user", content: "hello" }],
        token: "token",
        effectKey: "sha256:effect",
        signal: new AbortController().signal,
        onText: () => undefined,
      }),
    verify: () => identity.verify("a.b.c"),
    shed: async (): Promise<string[]> =>
      (await registry.metrics()).split("\n").filter((line) => line.startsWith("soma_upstream_calls_shed_total{")),
    async [Symbol.asyncDispose]() {
      await Promise.all([clients.policy.close(), clients.identity.close(), clients.model.close()]);
      await server[Symbol.asyncDispose]();
    },
  };
}

const refusal = json(422, { error: { code: "unknown" } });
const answer = stream(piece("Hi"), finish, usage, done);
const several = (count: number, one: Answer): Answer[] => Array.from({ length: count }, () => one);

test("after five faults in a row a model is not called, which is the same as no answer", async () => {
  await using world = await guarded(several(5, cut));
  for (let call = 0; call < 8; call += 1) await assert.rejects(world.complete(), code("MODEL_UNAVAILABLE"));
  assert.equal(world.server.seen.length, 5);
  assert.deepEqual(await world.shed(), [
    'soma_upstream_calls_shed_total{dependency="slm",reason="circuit_open",service="test"} 3',
  ]);
});

test("each upstream has a circuit of its own", async () => {
  await using world = await guarded([...several(5, cut), json(200, { valid: false })]);
  for (let call = 0; call < 6; call += 1) await assert.rejects(world.complete(), code("MODEL_UNAVAILABLE"));
  assert.equal(await world.verify(), undefined);
});

test("a model that says it is busy is not cut off: who waits its turn gets it", async () => {
  const busy = json(503, { error: { code: "model_busy" } }, { "retry-after": "1" });
  await using world = await guarded([...several(9, busy), answer]);
  for (let call = 0; call < 9; call += 1) await assert.rejects(world.complete(), code("MODEL_UNAVAILABLE"));
  assert.equal((await world.complete()).text, "Hi");
});

test("refusals are answers, and so are first words, whatever becomes of the rest", async () => {
  const cutShort = stream(piece("Hi"));
  await using world = await guarded([...several(9, refusal), ...several(9, cutShort), ...several(4, cut), answer]);
  for (let call = 0; call < 9; call += 1) await assert.rejects(world.complete(), code("MODEL_REJECTED"));
  for (let call = 0; call < 13; call += 1) await assert.rejects(world.complete(), code("MODEL_UNAVAILABLE"));
  assert.equal((await world.complete()).text, "Hi");
});

test("retries have a budget, which first tries do not use", async () => {
  // At most this many: what time refills meanwhile is not the test's to say.
  const enough = 400;
  const tries = async (isRetry: boolean): Promise<number> => {
    const world = await guarded(several(enough, refusal), isRetry);
    try {
      for (let call = 0; call < enough; call += 1) {
        const error: unknown = await world.complete().catch((thrown: unknown) => thrown);
        if (code("MODEL_UNAVAILABLE")(error)) return call;
        assert.ok(code("MODEL_REJECTED")(error));
      }
      return enough;
    } finally {
      // The script is longer than what is asked for, on purpose.
      await world[Symbol.asyncDispose]().catch(() => undefined);
    }
  };
  assert.equal(await tries(false), enough);
  const allowed = await tries(true);
  assert.ok(allowed >= 100 && allowed < enough, `${String(allowed)} retries in a row`);
});
