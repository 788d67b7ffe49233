import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { head, openRaw } from "../../../tests/harness/raw-connection.ts";
import { openDoor, type Door } from "./real-gateway.ts";

let door: Door;
before(async () => {
  door = await openDoor();
});
after(() => door[Symbol.asyncDispose]());

const hidden = "GET /v1/sessions/hidden HTTP/1.1\r\nhost: gateway\r\n\r\n";
const body = '{"prompt":"hi"}';

/** Requests whose end two servers could see at different places (RFC 9112, 11.2). */
const smuggled: readonly [what: string, bytes: (authorization: string) => string][] = [
  [
    "a length and chunks",
    (authorization) =>
      head("POST", "/v1/sessions", {
        authorization,
        "content-type": "application/json",
        "content-length": String(5 + hidden.length),
        "transfer-encoding": "chunked",
      }) + `0\r\n\r\n${hidden}`,
  ],
  [
    "chunks and a length",
    (authorization) =>
      head("POST", "/v1/sessions", {
        authorization,
        "content-type": "application/json",
        "transfer-encoding": "chunked",
        "content-length": "4",
      }) + `0\r\n\r\n${hidden}`,
  ],
  [
    "two lengths",
    (authorization) =>
      `POST /v1/sessions HTTP/1.1\r\nhost: g\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\n` +
      `content-length: ${String(body.length)}\r\ncontent-length: ${String(body.length + hidden.length)}\r\n\r\n${body}${hidden}`,
  ],
  [
    "one length twice",
    (authorization) =>
      `POST /v1/sessions HTTP/1.1\r\nhost: g\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\n` +
      `content-length: ${String(body.length)}\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}${hidden}`,
  ],
  [
    "a list of lengths",
    (authorization) =>
      head("POST", "/v1/sessions", { authorization, "content-type": "application/json", "content-length": "15, 15" }) +
      body +
      hidden,
  ],
  [
    "a length with a sign",
    (authorization) =>
      head("POST", "/v1/sessions", { authorization, "content-type": "application/json", "content-length": "+15" }) +
      body +
      hidden,
  ],
  [
    "an encoding that is none",
    (authorization) =>
      head("POST", "/v1/sessions", {
        authorization,
        "content-type": "application/json",
        "transfer-encoding": "xchunked",
      }) + `0\r\n\r\n${hidden}`,
  ],
  [
    "chunked, but not last",
    (authorization) =>
      head("POST", "/v1/sessions", {
        authorization,
        "content-type": "application/json",
        "transfer-encoding": "chunked, identity",
      }) + `0\r\n\r\n${hidden}`,
  ],
  [
    "a header on two lines (obs-fold)",
    (authorization) =>
      `GET /v1/sessions HTTP/1.1\r\nhost: g\r\nauthorization: ${authorization}\r\nx-a: 1\r\n content-length: 50\r\n\r\n${hidden}`,
  ],
  [
    "a blank before the colon",
    (authorization) =>
      `POST /v1/sessions HTTP/1.1\r\nhost: g\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\n` +
      `content-length : ${String(body.length)}\r\n\r\n${body}${hidden}`,
  ],
  [
    "lines that end with a line feed alone",
    (authorization) =>
      `GET /v1/sessions HTTP/1.1\nhost: g\nauthorization: ${authorization}\ntransfer-encoding: chunked\n\n0\n\n${hidden}`,
  ],
  [
    "a bare carriage return in a value",
    (authorization) =>
      `GET /v1/sessions HTTP/1.1\r\nhost: g\r\nauthorization: ${authorization}\r\nx-a: 1\rcontent-length: 50\r\n\r\n${hidden}`,
  ],
  [
    "a chunk's length that is no number",
    (authorization) =>
      head("POST", "/v1/sessions", {
        authorization,
        "content-type": "application/json",
        "transfer-encoding": "chunked",
      }) + `0x0f\r\n${body}\r\n0\r\n\r\n${hidden}`,
  ],
  [
    "two hosts",
    (authorization) =>
      `GET /v1/sessions HTTP/1.1\r\nhost: a\r\nhost: b\r\nauthorization: ${authorization}\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n${hidden}`,
  ],
];

for (const [what, bytes] of smuggled) {
  test(`${what}: refused, the connection ends, nothing gets behind the gateway`, async () => {
    door.orchestrator.seen.length = 0;
    const raw = await openRaw(door.gateway.url, bytes(`Bearer ${door.token}`));
    const text = await raw.ended();
    assert.match(text, /^HTTP\/1\.1 (400|413) /, what);
    assert.match(text, /connection: close/i);
    assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1, "one answer, and no second request");
    assert.deepEqual(door.orchestrator.seen, []);
  });
}

test("a GET with a body is refused, so that what follows it is not read as a request", async () => {
  door.orchestrator.seen.length = 0;
  const raw = await openRaw(
    door.gateway.url,
    head("GET", "/v1/sessions", {
      authorization: `Bearer ${door.token}`,
      "transfer-encoding": "chunked",
    }) + "5\r\nhello\r\n",
  );
  assert.match(await raw.ended(), /^HTTP\/1\.1 413 /);
  assert.deepEqual(door.orchestrator.seen, []);
});

test("two honest requests on one connection are two", async () => {
  const authorization = `Bearer ${door.token}`;
  door.orchestrator.seen.length = 0;
  const first = head("POST", "/v1/sessions", {
    authorization,
    "content-type": "application/json",
    "content-length": String(body.length),
  });
  const second = head("GET", "/v1/sessions", { authorization, connection: "close" });
  const raw = await openRaw(door.gateway.url, first + body + second);
  assert.match(await raw.ended(), /^HTTP\/1\.1 503 [\s\S]*HTTP\/1\.1 200 /);
  assert.deepEqual(
    door.orchestrator.seen.map(({ method }) => method),
    ["POST", "GET"],
  );
});
