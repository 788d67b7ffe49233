import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodeJwt } from "jose";
import { until } from "../../../tests/harness/until.ts";
import type { SessionRow } from "../../orchestrator/src/ledger/session-row.ts";
import { openSession } from "../../orchestrator/test/harness/sessions.ts";
import { bodyOf } from "./body-of.ts";
import { head, openRaw } from "../../../tests/harness/raw-connection.ts";
import { openDoor, type Door } from "./real-gateway.ts";

let door: Door;
let row: SessionRow;
before(async () => {
  door = await openDoor();
  row = await openSession(door.orchestrator.ledger);
});
after(() => door[Symbol.asyncDispose]());

const events = "/v1/sessions/sess-1/events";
const json = { "content-type": "application/json" };

/** The headers with which a request reached the orchestrator. */
async function arrived(headers: Record<string, string>) {
  door.orchestrator.seen.length = 0;
  const answer = await door.request("/v1/sessions/sess-1", { headers });
  assert.equal(answer.status, 200);
  const [seen] = door.orchestrator.seen;
  assert.ok(seen);
  return { answer, headers: seen.headers };
}

async function openStreams(): Promise<number | undefined> {
  const text = await door.orchestrator.metrics.registry.metrics();
  return Number(/soma_event_streams_open\{[^}]*\} (\d+)/.exec(text)?.[1]);
}

test("of a request's headers only the listed ones go on, and the gateway's own", async () => {
  const { headers } = await arrived({
    accept: "application/json",
    "idempotency-key": "key-1",
    "last-event-id": "3",
    prefer: "wait=1",
    "x-request-id": "req-1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "vendor=1",
    cookie: "session=1",
    "x-forwarded-for": "10.0.0.1",
    forwarded: "for=10.0.0.1",
    "x-real-ip": "10.0.0.1",
    "x-soma-hop": "made-up",
    "x-http-method-override": "DELETE",
    "openai-organization": "org",
    "user-agent": "test",
    "accept-encoding": "gzip, br",
  });
  const { host, connection, "x-soma-hop": hop, ...rest } = headers;
  assert.deepEqual(rest, {
    accept: "application/json",
    authorization: `Bearer ${door.token}`,
    "idempotency-key": "key-1",
    "last-event-id": "3",
    prefer: "wait=1",
    "x-request-id": "req-1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "vendor=1",
  });
  assert.equal(host, new URL(door.orchestrator.url).host);
  assert.equal(connection, "keep-alive");
  assert.equal(decodeJwt(String(hop))["path"], "/v1/sessions/sess-1");
});

test("a header that Connection names is of this connection, but never the token that one was let in by", async () => {
  const sent = {
    authorization: `Bearer ${door.token}`,
    connection: "close, Last-Event-ID, prefer, Authorization",
    "last-event-id": "3",
    prefer: "wait=1",
    te: "trailers",
    "keep-alive": "timeout=5",
    upgrade: "websocket",
  };
  door.orchestrator.seen.length = 0;
  const raw = await openRaw(door.gateway.url, head("GET", "/v1/sessions/sess-1", sent));
  assert.match(await raw.ended(), /^HTTP\/1\.1 200 /);
  const names = Object.keys(door.orchestrator.seen[0]?.headers ?? {});
  for (const name of ["last-event-id", "prefer", "te", "keep-alive", "upgrade"]) assert.ok(!names.includes(name), name);
  assert.ok(names.includes("authorization"), "behind the door nobody comes without the token that he was judged by");
});

test("request id and trace are kept when they are valid, and made when not", async () => {
  for (const wrong of ["", "a b", "x".repeat(129), "\u00e9"]) {
    const { answer, headers } = await arrived({ "x-request-id": wrong });
    assert.match(String(headers["x-request-id"]), /^[0-9a-f-]{36}$/);
    assert.equal(answer.headers.get("x-request-id"), headers["x-request-id"]);
  }
  const wrongTraces = [
    "nonsense",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ];
  for (const traceparent of wrongTraces) {
    const { headers } = await arrived({ traceparent, tracestate: "vendor=1" });
    assert.match(String(headers["traceparent"]), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(headers["tracestate"], undefined, "the state of a trace that is not there");
  }
});

test("a target in absolute form, as for a proxy, is not passed on", async () => {
  door.orchestrator.seen.length = 0;
  for (const target of [
    `${door.orchestrator.url}/v1/sessions/sess-1`,
    "http://169.254.169.254/v1/sessions/sess-1",
    "gateway:10000",
    "*",
  ]) {
    const sent = head("GET", target, { authorization: `Bearer ${door.token}`, connection: "close" });
    const raw = await openRaw(door.gateway.url, sent);
    assert.match(await raw.ended(), /^HTTP\/1\.1 4\d\d /, target);
  }
  assert.deepEqual(door.orchestrator.seen, []);
});

test("status, problem and Retry-After of the orchestrator come through as they are", async () => {
  const answer = await door.request("/v1/sessions", { method: "POST", headers: json, body: '{"prompt":"hi"}' });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("content-type"), "application/problem+json; charset=utf-8");
  assert.equal(answer.headers.get("retry-after"), "2");
  assert.equal((await bodyOf(answer))["request_id"], answer.headers.get("x-request-id"));
  const missing = await door.request("/v1/sessions/sess-unknown");
  assert.equal((await bodyOf(missing))["code"], "SESSION_NOT_FOUND");
});

test("each piece of a stream arrives while the next one is not there yet", async () => {
  const answer = await door.request(events, { headers: { accept: "text/event-stream" } });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  assert.equal(answer.headers.get("x-accel-buffering"), "no");
  assert.ok(answer.body);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async (piece: string): Promise<void> => {
    while (!text.includes(piece)) {
      const { value, done } = await reader.read();
      assert.ok(!done, `ended before ${piece}`);
      text += value;
    }
  };
  await read("event: session.created");
  let offset = 0;
  for (const word of ["one", "two", "three", "four"]) {
    // Only what has come lets the next one be said: nothing on the way may wait for more.
    door.orchestrator.deltas.publish(row.session_id, { step: "completion-1", attempt: 1, offset, text: word });
    offset += word.length;
    await read(word);
  }
  await reader.cancel();
});

test("a client that goes ends its stream at the orchestrator", async () => {
  const raw = await openRaw(
    door.gateway.url,
    head("GET", events, { authorization: `Bearer ${door.token}`, accept: "text/event-stream" }),
  );
  await raw.until(/session\.created/);
  assert.equal(await openStreams(), 1);
  raw.socket.destroy();
  await until("the stream is closed", async () => ((await openStreams()) === 0 ? true : undefined), 5_000);
  await until("its place is free", () => Promise.resolve(door.gateway.parts.streams.all === 0 || undefined), 5_000);
});

test("the public document is the orchestrator's own of the routes that have a row, in /docs, too", async () => {
  for (const path of ["/openapi.json", "/docs/json"]) {
    const document = await bodyOf(await fetch(door.gateway.url + path));
    const paths: Record<string, Record<string, { responses: Record<string, unknown> }>> = Object(document["paths"]);
    assert.ok(paths["/v1/sessions"]?.["post"]?.responses["202"], "with the answers, which the gateway does not know");
    assert.ok(paths["/v1/login"]?.["post"]);
    assert.equal(paths["/metrics"], undefined);
    assert.ok(paths["/v1/tenants/{tenant}"]?.["get"]);
    assert.equal(paths["/v1/access-reports"], undefined, "a route without a row is not shown");
    const { schemas = {} } = Object(document["components"]);
    const named = new Set(JSON.stringify(document).match(/(?<=#\/components\/schemas\/)\w+/g));
    assert.ok(named.has("SessionView"), "of the orchestrator");
    assert.ok(named.has("LoginRequest"), "of the gateway's own");
    assert.deepEqual(
      [...named].filter((name) => !Object.hasOwn(Object(schemas), name)),
      [],
    );
  }
  assert.equal((await fetch(`${door.gateway.url}/docs`)).status, 200);
});

test("a refused login is counted by its reason, which the gateway alone is told", async () => {
  const count = async (): Promise<number> => (await door.refusals())["malformed"] ?? 0;
  const counted = await count();
  const answer = await fetch(`${door.gateway.url}/v1/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ tenant: "tenant-demo", token: "no.token.at.all" }),
  });
  assert.equal(answer.status, 401);
  assert.equal((await bodyOf(answer))["code"], "LOGIN_REFUSED");
  assert.equal(answer.headers.get("x-soma-refusal"), null);
  assert.equal(await count(), counted + 1);
});
