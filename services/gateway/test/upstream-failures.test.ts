import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { suite, test } from "node:test";
import { until } from "../../../tests/harness/until.ts";
import { openSession } from "../../orchestrator/test/harness/sessions.ts";
import { bodyOf } from "./body-of.ts";
import { openBrokenDoor, openDoorTo } from "./broken-orchestrator.ts";
import { head, openRaw } from "../../../tests/harness/raw-connection.ts";
import { openDoor, type RealGateway } from "./real-gateway.ts";

async function failures({ parts }: RealGateway): Promise<Record<string, number>> {
  const { values } = await parts.metrics.upstreamFailures.get();
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels.dependency} ${labels.failure}`, value]));
}

suite("upstreams that fail", { concurrency: true }, () => {
  test("an orchestrator that is not there is a 503 at once; the gateway is ready all the same and says so", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    assert.ok(address !== null && typeof address === "object");
    closed.close();
    const url = `http://127.0.0.1:${String(address.port)}`;
    await using door = await openDoorTo(url);
    const begin = performance.now();
    const answer = await door.request("/v1/sessions");
    assert.ok(performance.now() - begin < 1_500);
    assert.equal(answer.status, 503);
    assert.equal((await bodyOf(answer))["code"], "ORCHESTRATOR_UNAVAILABLE");
    assert.equal(answer.headers.get("retry-after"), "2");
    assert.deepEqual(await bodyOf(await fetch(`${door.gateway.url}/ready`)), {
      status: "degraded",
      missing: [{ name: "orchestrator", address: url }],
    });
    assert.equal((await fetch(`${door.gateway.url}/openapi.json`)).status, 503);
    assert.deepEqual(await failures(door.gateway), { "orchestrator unavailable": 1 });
  });

  test("an orchestrator that takes a second to describe itself is waited for", async () => {
    await using door = await openBrokenDoor((_request, response) => {
      response.setHeader("content-type", "application/json");
      setTimeout(() => response.end('{"paths":{}}'), 1_000);
    });
    assert.equal((await fetch(`${door.gateway.url}/openapi.json`)).status, 200);
  });

  test("an orchestrator that goes in the middle of a stream cuts it: what broke off does not look whole", async () => {
    await using door = await openDoor();
    await openSession(door.orchestrator.ledger);
    const raw = await openRaw(
      door.gateway.url,
      head("GET", "/v1/sessions/sess-1/events", {
        authorization: `Bearer ${door.token}`,
        accept: "text/event-stream",
      }),
    );
    await raw.until(/session\.created/);
    door.orchestrator.app.server.closeAllConnections();
    assert.ok(!(await raw.ended()).endsWith("0\r\n\r\n"), "no end of the chunked body");
    await until("it is counted", async () => (await failures(door.gateway))["orchestrator cut"], 5_000);
    assert.equal(door.gateway.parts.streams.all, 0);
  });

  test("a gateway that is stopped cuts its streams and lets other requests end", async () => {
    await using door = await openBrokenDoor((request, response) => {
      if (request.headers.accept === "text/event-stream")
        response.writeHead(200, { "content-type": "text/event-stream" }).write("event: one\n\n");
      else setTimeout(() => response.end("{}"), 300);
    });
    const raw = await openRaw(
      door.gateway.url,
      head("GET", "/v1/sessions/x/events", { authorization: `Bearer ${door.token}`, accept: "text/event-stream" }),
    );
    await raw.until(/event: one/);
    const slow = door.request("/v1/sessions/x");
    await until("it is under way", () => Promise.resolve(door.gateway.parts.underWay.all === 1 || undefined), 5_000);
    const begin = performance.now();
    await door.gateway.app.close();
    assert.ok(performance.now() - begin < 5_000);
    assert.equal((await slow).status, 200);
    assert.ok(!(await raw.ended()).endsWith("0\r\n\r\n"));
  });

  test("headers of the connection to the orchestrator do not come through", async () => {
    await using door = await openBrokenDoor((_request, response) => {
      response.writeHead(200, {
        "content-type": "application/json",
        connection: "keep-alive, X-Internal, Set-Cookie",
        "keep-alive": "timeout=77",
        "x-internal": "10.1.2.3",
        "set-cookie": "a=b",
        "proxy-authenticate": "Basic",
        trailer: "x-checksum",
        upgrade: "h2c",
        server: "orchestrator",
        "x-request-id": "theirs",
        etag: '"1"',
      });
      response.end("{}");
    });
    const answer = await door.request("/v1/sessions", { headers: { "x-request-id": "ours" } });
    const names = new Set(answer.headers.keys());
    for (const name of ["x-internal", "set-cookie", "proxy-authenticate", "trailer", "upgrade", "server"])
      assert.ok(!names.has(name), name);
    assert.equal(answer.headers.get("etag"), '"1"');
    assert.equal(answer.headers.get("x-request-id"), "ours");
    assert.notEqual(answer.headers.get("keep-alive"), "timeout=77");
  });

  test("an answer that is no HTTP is a 503", async () => {
    await using door = await openBrokenDoor((_request, response) => {
      response.socket?.end("NONSENSE\r\n\r\n");
    });
    const answer = await door.request("/v1/sessions");
    assert.equal((await bodyOf(answer))["code"], "ORCHESTRATOR_UNAVAILABLE");
  });

  test("a client that goes before the answer ends its request at the orchestrator", async () => {
    const came = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    await using door = await openBrokenDoor((_request, response) => {
      came.resolve();
      response.once("close", () => {
        gone.resolve();
      });
    });
    const raw = await openRaw(door.gateway.url, head("GET", "/v1/sessions", { authorization: `Bearer ${door.token}` }));
    await came.promise;
    raw.socket.destroy();
    await gone.promise;
    await until("its place is free", () => Promise.resolve(door.gateway.parts.underWay.all === 0 || undefined), 5_000);
    assert.deepEqual(await failures(door.gateway), {}, "that is not the orchestrator's fault");
  });

  test("an orchestrator that takes a request and is silent is waited for ten seconds and no longer", async () => {
    await using door = await openBrokenDoor(() => undefined);
    const begin = performance.now();
    const answer = await door.request("/v1/sessions");
    assert.equal(answer.status, 503);
    const seconds = (performance.now() - begin) / 1_000;
    assert.ok(seconds > 9 && seconds < 15, String(seconds));
  });

  test("a reader that takes nothing slows the orchestrator down, and its memory is not the gateway's", async () => {
    const written = { bytes: 0 };
    const piece = Buffer.alloc(65_536, 0x61);
    await using door = await openBrokenDoor((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const write = (): void => {
        while (!response.destroyed) {
          written.bytes += piece.length;
          if (!response.write(piece)) return;
        }
      };
      response.on("drain", write);
      write();
    });
    const raw = await openRaw(
      door.gateway.url,
      head("GET", "/v1/sessions/x/events", { authorization: `Bearer ${door.token}`, accept: "text/event-stream" }),
    );
    await raw.until(/^HTTP\/1\.1 200/);
    raw.socket.pause();
    let last = -1;
    // Until nothing more is taken: the kernel's buffers on the way are some megabytes.
    await until("the writer is held", async () => {
      if (written.bytes === last) return true;
      last = written.bytes;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return undefined;
    });
    assert.ok(written.bytes < 32 * 1_048_576, `${String(written.bytes)} bytes were taken`);
    raw.socket.destroy();
  });

  test("an identity service that is not there is a 503, and a token that was good a moment ago still passes", async () => {
    const door = await openDoor();
    try {
      await openSession(door.orchestrator.ledger);
      const other = await door.identity.login({
        user_id: "viewer-demo",
        tenant_id: "tenant-demo",
        capabilities: ["session.read"],
      });
      assert.equal((await door.request("/v1/sessions/sess-1")).status, 200);
      await door.identity[Symbol.asyncDispose]();
      const unknown = await door.request("/v1/sessions/sess-1", { headers: { authorization: `Bearer ${other}` } });
      assert.equal(unknown.status, 503);
      assert.equal((await bodyOf(unknown))["code"], "IDENTITY_UNAVAILABLE");
      const login = await fetch(`${door.gateway.url}/v1/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"tenant":"tenant-demo","token":"a.b.c"}',
      });
      assert.equal((await bodyOf(login))["code"], "IDENTITY_UNAVAILABLE");
      // The orchestrator asks for itself, so it is its answer that comes.
      assert.equal((await bodyOf(await door.request("/v1/sessions/sess-1")))["code"], "IDENTITY_UNAVAILABLE");
      assert.deepEqual(await failures(door.gateway), { "identity-service unavailable": 1 });
    } finally {
      await door.gateway[Symbol.asyncDispose]();
      await door.orchestrator[Symbol.asyncDispose]();
    }
  });
});
