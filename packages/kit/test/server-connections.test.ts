import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { test } from "node:test";
import { buildTestApp } from "./test-app.ts";

/** Sends bytes over a connection of its own and reads until the server ends it. */
async function exchange(port: number, bytes: string): Promise<{ status: number; headers: string; body: string }> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  socket.write(bytes);
  await once(socket, "end");
  socket.destroy();
  const [headers = "", body = ""] = text.split("\r\n\r\n");
  return { status: Number(headers.split(" ")[1]), headers: headers.toLowerCase(), body };
}

async function listen() {
  const served = await buildTestApp();
  await served.app.listen({ host: "127.0.0.1", port: 0 });
  return { ...served, port: portOf(served.app.server.address()) };
}

function portOf(address: AddressInfo | string | null): number {
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

test("the times that Node leaves open are set on the real server", async () => {
  await using served = await listen();
  const { server } = served.app;
  assert.equal(server.requestTimeout, 15_000);
  assert.equal(server.headersTimeout, 10_000);
  assert.equal(server.timeout, 20_000);
  assert.equal(server.keepAliveTimeout, 10_000);
});

const noRequests: readonly [title: string, bytes: string, status: number, code: string][] = [
  ["no HTTP at all", "NONSENSE\r\n\r\n", 400, "VALIDATION_FAILED"],
  [
    "two lengths (request smuggling)",
    "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "VALIDATION_FAILED",
  ],
  [
    "headers beyond all bounds",
    `GET /health HTTP/1.1\r\nhost: x\r\nx-big: ${"x".repeat(20_000)}\r\n\r\n`,
    431,
    "HEADERS_TOO_LARGE",
  ],
];

for (const [title, bytes, status, code] of noRequests) {
  test(`${title} is answered with a ${code} problem, counted, and the connection ends`, async () => {
    await using served = await listen();
    const answer = await exchange(served.port, bytes);
    assert.equal(answer.status, status);
    assert.match(answer.headers, /content-type: application\/problem\+json/);
    assert.match(answer.headers, /connection: close/);
    assert.match(answer.headers, new RegExp(`content-length: ${String(Buffer.byteLength(answer.body))}(\r|$)`));
    const problem = JSON.parse(answer.body);
    assert.equal(problem.code, code);
    assert.equal(problem.status, status);
    assert.ok(answer.headers.includes(`x-request-id: ${String(problem.request_id)}`));
    assert.ok(!answer.body.includes("xxx"));
    assert.equal(await served.refusals(code), 1);
  });
}

test("a request that does not arrive in time is answered with REQUEST_TIMEOUT", async () => {
  await using served = await listen();
  // The server looks for late requests every 2 s, and one is late after 15 s; its clock is not waited for here but rung.
  const socket = connect(served.port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  const [[, serverSide]] = await Promise.all([
    once(served.app.server, "connection").then(([side]) => [undefined, side]),
    once(socket, "connect"),
  ]);
  served.app.server.emit(
    "clientError",
    Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }),
    serverSide,
  );
  await once(socket, "end");
  socket.destroy();
  assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
  assert.match(text, /"code":"REQUEST_TIMEOUT"/);
});

test("headers that drip are not waited for longer than ten seconds", async () => {
  await using served = await listen();
  const begin = performance.now();
  const socket = connect(served.port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  socket.write("GET /health HTTP/1.1\r\nhost: x\r\n");
  const drip = setInterval(() => socket.write("x-a: 1\r\n"), 500);
  await once(socket, "end");
  clearInterval(drip);
  socket.destroy();
  assert.match(text, /^HTTP\/1\.1 408 /);
  const seconds = (performance.now() - begin) / 1_000;
  assert.ok(seconds > 9 && seconds < 20, String(seconds));
});

test("a connection that its client has reset is not answered and brings nothing down", async () => {
  await using served = await listen();
  for (let round = 0; round < 5; round += 1) {
    const socket = connect(served.port, "127.0.0.1");
    socket.write("POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
    await once(socket, "connect");
    socket.resetAndDestroy();
    await once(socket, "close");
  }
  const answer = await exchange(served.port, "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  assert.equal(answer.status, 200);
  assert.equal(await served.refusals("VALIDATION_FAILED"), 0);
});

test("close ends silent and idle connections at once, and what is under way is still answered", async () => {
  const served = await buildTestApp();
  const entered = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  served.app.get("/slow", async () => {
    entered.resolve();
    await finish.promise;
    return { done: true };
  });
  await served.app.listen({ host: "127.0.0.1", port: 0 });
  const port = portOf(served.app.server.address());
  const silent = connect(port, "127.0.0.1").resume();
  const idle = connect(port, "127.0.0.1");
  idle.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(idle, "data");
  const slow = exchange(port, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n");
  await entered.promise;
  const begin = performance.now();
  const closed = served.app.close();
  await Promise.all([once(silent, "close"), once(idle.resume(), "close")]);
  finish.resolve();
  assert.match((await slow).body, /"done":true/);
  await closed;
  assert.ok(performance.now() - begin < 2_000);
});

const answers = (all: string): number => all.match(/HTTP\/1\.1 200 /g)?.length ?? 0;

test("eight questions of a connection may wait for their answers; one that asks on and on is ended", async () => {
  await using served = await listen();
  const ask = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
  const last = "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  const text = async (bytes: string): Promise<string> => {
    const socket = connect(served.port, "127.0.0.1");
    let all = "";
    socket.setEncoding("utf8").on("data", (piece: string) => (all += piece));
    socket.on("error", () => undefined);
    socket.write(bytes);
    await once(socket, "close");
    return all;
  };
  assert.equal(answers(await text(ask.repeat(7) + last)), 8);
  assert.ok(answers(await text(ask.repeat(500) + last)) <= 8);
  assert.equal((await exchange(served.port, last)).status, 200, "others are served");
});
