import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, cut, json, startScriptedServer, type Answer } from "../../../../packages/kit/test/scripted-server.ts";
import { createMemoryClient } from "../../src/adapters/memory-client.ts";
import { code } from "../ledger/refusal.ts";

const passage = { key: "a", text: "A blue door.", score: 0.8 };

async function startClient(...script: readonly Answer[]) {
  const server = await startScriptedServer(...script);
  const client = createMemoryClient(new URL("/memory/", server.url));
  const call = { token: "a.b.c", signal: new AbortController().signal };
  return {
    server,
    retrieve: () => client.retrieve({ query: "door", topK: 2 }, call),
    remember: () => client.remember({ key: "k", value: "v" }, { ...call, effectKey: "sha256:effect" }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("asks as the contract says, with the step's token and effect key", async () => {
  await using client = await startClient(
    json(200, { passages: [passage] }),
    json(200, { key: "k", created: true, passages: 1 }),
  );
  assert.deepEqual(await client.retrieve(), [passage]);
  assert.equal((await client.remember()).created, true);
  const [first, second] = client.server.seen;
  assert.equal(first?.path, "/memory/v1/rag/retrieve");
  assert.deepEqual(JSON.parse(first?.body ?? ""), { query: "door", top_k: 2 });
  assert.equal(first?.headers.authorization, "Bearer a.b.c");
  assert.equal(second?.path, "/memory/v1/remember");
  assert.equal(second?.headers["idempotency-key"], "sha256:effect");
});

const refusals: readonly [Answer, Parameters<typeof code>[0]][] = [
  [cut, "MEMORY_UNAVAILABLE"],
  [json(503, {}), "MEMORY_UNAVAILABLE"],
  [json(429, {}), "MEMORY_UNAVAILABLE"],
  [json(401, {}), "MEMORY_TOKEN_REFUSED"],
  [json(403, {}), "MEMORY_REJECTED"],
  [json(422, {}), "MEMORY_REJECTED"],
  [json(404, {}), "MEMORY_BAD_RESPONSE"],
  [json(200, {}), "MEMORY_BAD_RESPONSE"],
  [json(200, { passages: [passage, passage, passage] }), "MEMORY_BAD_RESPONSE"],
  [json(200, { passages: [{ ...passage, score: 7 }] }), "MEMORY_BAD_RESPONSE"],
  [bytes(200, "x".repeat(300_000)), "MEMORY_BAD_RESPONSE"],
];
for (const [index, [answer, expected]] of refusals.entries())
  test(`answer ${String(index)} of those that are none is ${expected}`, async () => {
    await using client = await startClient(answer);
    await assert.rejects(client.retrieve(), code(expected));
  });

test("a receipt for another key is none", async () => {
  await using client = await startClient(json(200, { key: "other", created: true, passages: 1 }));
  await assert.rejects(client.remember(), code("MEMORY_BAD_RESPONSE"));
});
