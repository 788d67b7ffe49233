import assert from "node:assert/strict";
import { test } from "node:test";
import { errors } from "@soma/contracts/error-codes";
import { bytes, cut, json, startScriptedServer } from "../../kit/test/scripted-server.ts";
import { createClient, type SomaClient } from "../src/client.ts";
import { SomaError } from "../src/soma-error.ts";

const requestId = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function refusal(client: SomaClient): Promise<SomaError> {
  try {
    // Without a key, and so asked once.
    await client.login({ tenant: "acme", token: "t" });
  } catch (error) {
    if (error instanceof SomaError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

test("a problem document becomes an error with all that it says", async () => {
  const fields = [{ pointer: "/prompt", detail: "is required" }];
  const problem = {
    type: "urn:soma:problem:validation-failed",
    title: errors.VALIDATION_FAILED.title,
    status: 400,
    detail: "/prompt: is required.",
    code: "VALIDATION_FAILED",
    request_id: "the-servers",
    errors: fields,
  };
  await using server = await startScriptedServer(json(400, problem, { "retry-after": "7" }));
  const error = await refusal(createClient({ baseUrl: server.url.href }));
  const { code, status, title, detail, requestId: id, fields: found, retryAfterSeconds } = error;
  assert.deepEqual(
    { code, status, title, detail, id, found, retryAfterSeconds },
    {
      code: "VALIDATION_FAILED",
      status: 400,
      title: errors.VALIDATION_FAILED.title,
      detail: "/prompt: is required.",
      id: "the-servers",
      found: fields,
      retryAfterSeconds: 7,
    },
  );
  assert.equal(error.message, error.detail);
});

test("an answer that is none of this API's is told apart, and the request's id stays known", async () => {
  await using server = await startScriptedServer(
    bytes(502, "<html>Bad Gateway</html>", { "content-type": "text/html" }),
    bytes(200, "<html>Log in first</html>", { "content-type": "text/html" }),
    json(500, { code: 7, detail: [] }),
    cut,
  );
  const client = createClient({ baseUrl: server.url.href });
  const found = [await refusal(client), await refusal(client), await refusal(client), await refusal(client)];
  assert.deepEqual(
    found.map(({ code, status }) => [code, status]),
    [
      ["BAD_RESPONSE", 502],
      ["BAD_RESPONSE", 200],
      ["BAD_RESPONSE", 500],
      ["CONNECTION_FAILED", 0],
    ],
  );
  for (const [index, { requestId: id }] of found.entries()) {
    assert.match(id, requestId);
    assert.equal(server.seen[index]?.headers["x-request-id"], id, "what the server was told");
  }
});

test("where nobody listens, the error says where", async () => {
  const { url, ...server } = await startScriptedServer();
  await server[Symbol.asyncDispose]();
  await assert.rejects(createClient({ baseUrl: url.href, timeoutMs: 300 }).getSession("s"), {
    code: "CONNECTION_FAILED",
    message: `No connection to ${url.origin} (ECONNREFUSED).`,
    requestId,
  });
});

test("a redirect is not followed: no token goes where it leads", async () => {
  await using elsewhere = await startScriptedServer();
  await using server = await startScriptedServer(bytes(307, "", { location: elsewhere.url.href }));
  const error = await refusal(createClient({ baseUrl: server.url.href, token: "secret" }));
  assert.equal(error.code, "CONNECTION_FAILED");
  assert.equal(elsewhere.seen.length, 0);
});

test("no error holds the token", async () => {
  await using server = await startScriptedServer(bytes(401, "no"), cut);
  const client = createClient({ baseUrl: server.url.href, token: "soma_0123456789abcdef_canary" });
  for (const error of [await refusal(client), await refusal(client)])
    assert.ok(!`${JSON.stringify(error)}${String(error.stack)}${String(error.cause)}`.includes("canary"));
});

test("a token that cannot be had is the caller's own error", async () => {
  const reason = new Error("log in again");
  const client = createClient({ baseUrl: "http://127.0.0.1:1", token: () => Promise.reject(reason) });
  await assert.rejects(client.getSession("s"), reason);
});

test("an address that cannot be one is refused at once", () => {
  assert.throws(() => createClient({ baseUrl: "ftp://x" }), TypeError);
  assert.throws(() => createClient({ baseUrl: "https://user:password@x" }), TypeError);
  assert.throws(() => createClient({ baseUrl: "nonsense" }), TypeError);
});

test("an address may have a path, and ids are one part of it", async () => {
  await using server = await startScriptedServer(json(202, {}));
  await createClient({ baseUrl: `${server.url.href}soma/` }).cancelSession("a/../b?c");
  assert.equal(server.seen[0]?.path, "/soma/v1/sessions/a%2F..%2Fb%3Fc/actions/cancel");
});

test("a change is repeated under one key, each call under its own", async () => {
  const refused = json(403, { title: "No", status: 403, detail: "No.", code: "FORBIDDEN", request_id: "r" });
  await using server = await startScriptedServer(
    bytes(503, ""),
    cut,
    refused,
    refused,
    bytes(502, ""),
    refused,
    refused,
  );
  const client = createClient({ baseUrl: server.url.href });
  await assert.rejects(client.apiKeys.create({ name: "ci", role: "viewer" }), { code: "FORBIDDEN" });
  await assert.rejects(client.tenants.create({ tenant: "acme" }), { code: "FORBIDDEN" });
  await assert.rejects(client.tenants.update("acme", { name: "Acme" }), { code: "FORBIDDEN" });
  await assert.rejects(client.tenants.suspend("acme", {}, { idempotencyKey: "mine" }), { code: "FORBIDDEN" });
  const keys = server.seen.map(({ headers }) => headers["idempotency-key"]);
  const [key, , , tenant, update] = keys;
  assert.deepEqual(keys, [key, key, key, tenant, update, update, "mine"]);
  assert.equal(new Set([key, tenant, update, undefined]).size, 4);
});

test("each action of a session is repeated under one key, asks the route of its name, and sends what it was given", async () => {
  const refused = json(403, { title: "No", status: 403, detail: "No.", code: "FORBIDDEN", request_id: "r" });
  const approval = { approval_id: `apr_${"0".repeat(32)}`, action_digest: `sha256:${"0".repeat(64)}` };
  const calls: readonly (readonly [action: string, call: (client: SomaClient) => Promise<unknown>, body: unknown])[] = [
    ["message", (soma) => soma.sendMessage("s", { text: "hi", busy: "enqueue" }), { text: "hi", busy: "enqueue" }],
    ["approve", (soma) => soma.approve("s", approval), approval],
    ["deny", (soma) => soma.deny("s", { ...approval, reason: "no" }), { ...approval, reason: "no" }],
    ["pause", (soma) => soma.pauseSession("s"), {}],
    ["resume", (soma) => soma.resumeSession("s", { reason: "go" }), { reason: "go" }],
    ["cancel", (soma) => soma.cancelSession("s"), {}],
    ["terminate", (soma) => soma.terminateSession("s"), {}],
    ["retry", (soma) => soma.retryTurn("s"), {}],
    ["extend-budget", (soma) => soma.extendBudget("s", { tokens: 5 }), { tokens: 5 }],
  ];
  for (const [action, call, body] of calls) {
    await using server = await startScriptedServer(bytes(503, ""), cut, refused);
    await assert.rejects(call(createClient({ baseUrl: server.url.href, tenant: "acme" })), { code: "FORBIDDEN" });
    assert.equal(server.seen.length, 3, action);
    for (const { path, body: sent } of server.seen)
      assert.deepEqual([path, JSON.parse(sent)], [`/v1/sessions/s/actions/${action}?tenant=acme`, body]);
    const keys = new Set(server.seen.map(({ headers }) => headers["idempotency-key"]));
    assert.ok(keys.size === 1 && !keys.has(undefined), action);
  }
});
