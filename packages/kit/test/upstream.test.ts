import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Upstream, UpstreamError, type UpstreamFault } from "../src/upstream.ts";
import { bytes, cut, hang, json, stall, startScriptedServer } from "./scripted-server.ts";

// Long enough for a request to arrive on a machine that is busy with other tests.
const deadlineMs = 400;

function upstreamOf(url: URL, options: { deadlineMs?: number; maxBytes?: number } = {}) {
  const upstream = new Upstream({ name: "engine", origin: url.origin, deadlineMs, ...options });
  return Object.assign(upstream, { [Symbol.asyncDispose]: () => upstream.close() });
}

/** For `assert.rejects`: an upstream's fault with these very words. */
function fault(kind: UpstreamFault, message: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UpstreamError, String(error));
    assert.equal(error.message, message);
    assert.equal(error.fault, kind);
    return true;
  };
}

test("posts JSON with the headers given and reads the answer", async () => {
  await using server = await startScriptedServer(json(201, { ok: [1] }, { "x-request-id": "r-1" }));
  await using upstream = upstreamOf(server.url);
  const answer = await upstream.postJson("/v1/evaluate?x=1", { prompt: "é" }, { headers: { "x-request-id": "r-1" } });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers["x-request-id"], "r-1");
  assert.deepEqual(answer.body, { ok: [1] });
  const [request] = server.seen;
  assert.equal(request?.method, "POST");
  assert.equal(request.path, "/v1/evaluate?x=1");
  assert.equal(request.body, '{"prompt":"é"}');
  assert.equal(request.headers["content-type"], "application/json");
  assert.equal(request.headers.accept, "application/json");
  assert.equal(request.headers["x-request-id"], "r-1");
});

test("gets with no body, and an empty answer has none", async () => {
  await using server = await startScriptedServer(bytes(204, ""));
  await using upstream = upstreamOf(server.url);
  assert.deepEqual((await upstream.getJson("/health")).body, undefined);
  assert.equal(server.seen[0]?.method, "GET");
  assert.equal(server.seen[0].headers["content-type"], undefined);
});

test("a status is an answer, whichever it is", async () => {
  await using server = await startScriptedServer(json(500, { code: "INTERNAL" }), json(404, {}));
  await using upstream = upstreamOf(server.url);
  assert.equal((await upstream.getJson("/")).status, 500);
  assert.equal((await upstream.getJson("/")).status, 404);
});

test("a redirect comes back as what it is and is not followed", async () => {
  const location = "/elsewhere";
  await using server = await startScriptedServer(
    json(302, {}, { location }),
    json(307, {}, { location }),
    json(308, {}, { location }),
  );
  await using upstream = upstreamOf(server.url);
  for (const status of [302, 307, 308]) assert.equal((await upstream.postJson("/here", {})).status, status);
  assert.deepEqual(
    server.seen.map(({ path }) => path),
    ["/here", "/here", "/here"],
  );
});

for (const [title, answer] of [
  ["headers that do not come", hang],
  ["a body that does not end", stall],
] as const) {
  test(`${title} end at the deadline`, async () => {
    await using server = await startScriptedServer(answer);
    await using upstream = upstreamOf(server.url);
    const begin = performance.now();
    await assert.rejects(
      upstream.postJson("/", {}),
      fault("unavailable", `engine: no answer within ${String(deadlineMs)} ms`),
    );
    const tookMs = performance.now() - begin;
    assert.ok(tookMs >= deadlineMs - 5 && tookMs < deadlineMs + 500, `${String(tookMs)} ms`);
    await server.clientGone;
  });
}

test("a body that drips never passes the deadline of the whole exchange", async () => {
  await using server = await startScriptedServer(async (response) => {
    response.writeHead(200).write("[");
    for (let count = 0; count < 100 && !response.destroyed; count += 1) {
      response.write("1,");
      await sleep(20);
    }
  });
  await using upstream = upstreamOf(server.url);
  await assert.rejects(upstream.getJson("/"), fault("unavailable", "engine: no answer within 400 ms"));
  await server.clientGone;
});

/** Listens in a thread that then never runs again, with a queue that is full: a further connection is not even taken. */
async function startDeafServer() {
  const worker = new Worker(
    `const { createServer } = require("node:net");
    const { parentPort } = require("node:worker_threads");
    const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true },
  );
  const [port]: number[] = await once(worker, "message");
  assert.ok(port !== undefined);
  const queued = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await Promise.all(queued.slice(0, 2).map((socket) => once(socket, "connect")));
  return {
    url: new URL(`http://127.0.0.1:${String(port)}`),
    async [Symbol.asyncDispose]() {
      for (const socket of queued) socket.destroy();
      await worker.terminate();
    },
  };
}

test("a connection that is not taken ends at the deadline", async () => {
  await using server = await startDeafServer();
  await using upstream = upstreamOf(server.url);
  const begin = performance.now();
  await assert.rejects(
    upstream.getJson("/"),
    (error) => error instanceof UpstreamError && error.fault === "unavailable",
  );
  // Undici alone sees this half a second late.
  assert.ok(performance.now() - begin < deadlineMs + 250);
});

test("a port where nobody listens is unavailable at once, and the reason is private", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  server.close();
  await once(server, "close");
  await using upstream = upstreamOf(new URL(`http://127.0.0.1:${String(address.port)}`), { deadlineMs: 5_000 });
  await assert.rejects(upstream.getJson("/"), (error) => {
    fault("unavailable", "engine: no answer")(error);
    assert.ok(error instanceof UpstreamError && error.cause instanceof Error);
    return true;
  });
});

test("a connection that is cut, before or within the answer, is unavailable", async () => {
  await using server = await startScriptedServer(cut, (response) => {
    response.writeHead(200, { "content-length": "100" }).write("{");
    setTimeout(() => response.destroy(), 10);
  });
  await using upstream = upstreamOf(server.url, { deadlineMs: 5_000 });
  await assert.rejects(upstream.postJson("/", {}), fault("unavailable", "engine: no answer"));
  await assert.rejects(upstream.postJson("/", {}), fault("unavailable", "engine: no answer"));
});

const text = (length: number): string => JSON.stringify("x".repeat(length - 2));

test("an answer to the very bound is read, one byte more is not, and the rest of it is not fetched", async () => {
  await using server = await startScriptedServer(bytes(200, text(100)), bytes(200, text(101)), (response) => {
    response.writeHead(200);
    const more = setInterval(() => response.write("x".repeat(50)), 5);
    response.once("close", () => clearInterval(more));
  });
  await using upstream = upstreamOf(server.url, { maxBytes: 100, deadlineMs: 5_000 });
  assert.equal((await upstream.getJson("/")).body, "x".repeat(98));
  await assert.rejects(upstream.getJson("/"), fault("bad_response", "engine: answer over 100 bytes"));
  await assert.rejects(upstream.getJson("/"), fault("bad_response", "engine: answer over 100 bytes"));
  await server.clientGone;
});

test("what is not JSON is a bad answer, and nothing of it is kept", async () => {
  await using server = await startScriptedServer(bytes(200, "canary"), bytes(200, '{"a":'), bytes(500, "<html>"));
  await using upstream = upstreamOf(server.url);
  for (let round = 0; round < 3; round += 1) {
    await assert.rejects(upstream.getJson("/"), (error) => {
      fault("bad_response", "engine: answer is not JSON")(error);
      assert.ok(error instanceof UpstreamError);
      assert.equal(error.cause, undefined);
      return true;
    });
  }
});

test("an abort ends the exchange with the caller's own reason, before and while it runs", async () => {
  await using server = await startScriptedServer(hang);
  await using upstream = upstreamOf(server.url, { deadlineMs: 5_000 });
  const reason = new Error("the session was canceled");
  await assert.rejects(upstream.postJson("/", {}, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  assert.equal(server.seen.length, 0);
  const controller = new AbortController();
  const answer = upstream.postJson("/", {}, { signal: controller.signal });
  await server.arrived;
  controller.abort(reason);
  await assert.rejects(answer, (error) => error === reason);
  await server.clientGone;
});

test("connections are kept and used again", async () => {
  const ports = new Set<number | undefined>();
  const answer = (response: Parameters<ReturnType<typeof json>>[0]) => {
    ports.add(response.socket?.remotePort);
    response.end("{}");
  };
  await using server = await startScriptedServer(answer, answer, answer, answer, answer);
  await using upstream = upstreamOf(server.url, { deadlineMs: 5_000 });
  for (let round = 0; round < 5; round += 1) {
    await upstream.postJson("/", {});
    // A connection is free again one turn after its answer was read.
    await sleep(5);
  }
  assert.ok(ports.size < 5, `${String(ports.size)} connections for 5 requests`);
});

test("after close nothing is sent, and what was under way fails", async () => {
  await using server = await startScriptedServer(hang);
  const upstream = new Upstream({ name: "engine", origin: server.url.origin, deadlineMs: 5_000 });
  const failed = assert.rejects(upstream.postJson("/", {}), fault("unavailable", "engine: no answer"));
  while (server.seen.length === 0) await sleep(5);
  await upstream.close();
  await failed;
  await assert.rejects(upstream.postJson("/", {}), fault("unavailable", "engine: no answer"));
  assert.equal(server.seen.length, 1);
});
