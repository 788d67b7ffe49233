import assert from "node:assert/strict";
import { after, test } from "node:test";
import { neverCut, startCuttingProxy, type Cut } from "../../../tests/harness/cutting-proxy.ts";
import { bytes, cut as cutConnection, hang, startScriptedServer } from "../../kit/test/scripted-server.ts";
import { createClient } from "../src/client.ts";
import { SomaError } from "../src/soma-error.ts";
import { sequences, startSessions, updatesOf } from "./real-sessions.ts";

const world = await startSessions({ after }, "client-watch");
const proxy = await startCuttingProxy({ after }, world.url);
const soma = createClient({ baseUrl: proxy.url, token: () => world.token() });

/** Passes this many whole events of each connection, and of the next one `share` of its bytes. */
function cutAfterEvents(count: number, share: number): Cut {
  return (answer) => {
    const text = answer.toString("latin1");
    let begin = text.indexOf("\nid: ");
    for (let passed = 0; begin !== -1; passed += 1) {
      const end = text.indexOf("\n\n", begin);
      if (end === -1) return undefined;
      if (passed === count) return Math.floor(begin + (end - begin) * share);
      begin = text.indexOf("\nid: ", end);
      if (begin === -1 && passed + 1 === count && share === 0) return end + 2;
    }
    return undefined;
  };
}

test("a stream that is cut after every event, or within it, still gives the ledger without gap and each event once", async () => {
  const { id, ledger } = await world.denied();
  for (const share of [0, 0.3, 0.99]) {
    proxy.cut = cutAfterEvents(1, share);
    const before = proxy.connections;
    assert.deepEqual(sequences(await updatesOf(soma.watchSession(id))), ledger);
    assert.ok(proxy.connections - before >= ledger.length - 1, `${String(proxy.connections - before)} connections`);
  }
  proxy.cut = neverCut;
});

test("watching begins after any event, and after the last one there is nothing to wait for", async () => {
  const { id, ledger } = await world.denied();
  for (let position = 0; position <= ledger.length; position += 1) {
    const updates = await updatesOf(soma.watchSession(id, { after: position }));
    assert.deepEqual(sequences(updates), ledger.slice(position));
  }
});

test("what happens while one watches comes, too: the session's end ends the stream", async () => {
  const id = await world.start("Say yes.");
  const seen: string[] = [];
  for await (const update of soma.watchSession(id)) {
    if (update.kind !== "event") continue;
    seen.push(update.event.type);
    // Without a model it waits, and says so; then somebody cancels it.
    if (update.event.type === "dependency.unavailable") await soma.cancelSession(id);
  }
  assert.deepEqual([seen.at(0), seen.at(-1)], ["session.created", "session.canceled"]);
});

test("connections that bring nothing, again and again, end in an error that names the request", async () => {
  const { id } = await world.denied();
  proxy.cut = () => 0;
  const before = proxy.connections;
  await assert.rejects(updatesOf(soma.watchSession(id, { maxReconnects: 2 })), (error: unknown) => {
    assert.ok(error instanceof SomaError);
    assert.equal(error.code, "STREAM_LOST");
    assert.match(error.requestId, /^[0-9a-f-]{36}$/);
    return true;
  });
  proxy.cut = neverCut;
  // One of the three may have found a connection that was there.
  assert.ok(proxy.connections - before >= 2);
});

test("a refusal is told at once: no session, no right", async () => {
  const before = proxy.connections;
  await assert.rejects(updatesOf(soma.watchSession("no-such-session")), { code: "SESSION_NOT_FOUND", status: 404 });
  const stranger = createClient({ baseUrl: proxy.url, token: "x.y.z" });
  await assert.rejects(updatesOf(stranger.watchSession("sess")), { code: "UNAUTHENTICATED", status: 401 });
  assert.ok(proxy.connections - before <= 2);
});

test("a stream on which nothing comes is given up and opened anew", async () => {
  await using server = await startScriptedServer(hang, hang);
  const client = createClient({ baseUrl: server.url.origin });
  await assert.rejects(updatesOf(client.watchSession("s", { idleTimeoutMs: 100, maxReconnects: 1 })), {
    code: "STREAM_LOST",
  });
  assert.equal(server.seen.length, 2);
});

test("each connection asks for a token, and says where it resumes", async () => {
  const head = { "content-type": "text/event-stream" };
  await using server = await startScriptedServer(
    bytes(200, 'id: 1\nevent: session.created\ndata: {"sequence":1,"type":"session.created"}\n\n', head),
    cutConnection,
    bytes(503, "", { "retry-after": "0" }),
    bytes(200, 'id: 2\nevent: session.failed\ndata: {"sequence":2,"type":"session.failed"}\n\n', head),
  );
  let tokens = 0;
  const client = createClient({
    baseUrl: server.url.origin,
    token: () => Promise.resolve(`token-${String(++tokens)}`),
  });
  const updates = await updatesOf(client.watchSession("s"));
  assert.equal(updates.length, 2);
  assert.deepEqual(
    server.seen.map(({ headers }) => [headers.authorization, headers["last-event-id"]]),
    [
      ["Bearer token-1", undefined],
      ["Bearer token-2", "1"],
      ["Bearer token-3", "1"],
      ["Bearer token-4", "1"],
    ],
  );
});

function message(sequence: number, type: string): string {
  return `id: ${String(sequence)}\nevent: ${type}\ndata: ${JSON.stringify({ sequence, type })}\n\n`;
}

test("a hole in the stream is filled by asking again", async () => {
  const head = { "content-type": "text/event-stream" };
  await using server = await startScriptedServer(
    bytes(200, message(1, "session.created") + message(3, "session.failed"), head),
    bytes(200, message(1, "session.created") + message(2, "policy.decided") + message(3, "session.failed"), head),
  );
  const updates = await updatesOf(createClient({ baseUrl: server.url.origin }).watchSession("s"));
  assert.deepEqual(sequences(updates), [1, 2, 3]);
});

function piece(attempt: number, offset: number, text: string): string {
  return `event: delta\ndata: ${JSON.stringify({ step: "completion-1", attempt, offset, text })}\n\n`;
}

test("a text goes on at the letter where the connection broke, and who begins it anew says so", async () => {
  const head = { "content-type": "text/event-stream" };
  await using server = await startScriptedServer(
    bytes(200, message(1, "session.created") + piece(1, 0, "Hel"), head),
    // A server that does not know the place sends it all again, and one leaves a hole: what is had is cut off or asked for.
    bytes(200, piece(1, 0, "Hello") + piece(1, 9, "!"), head),
    bytes(200, piece(1, 5, ", you") + piece(3, 0, "Good"), head),
    bytes(
      200,
      piece(2, 0, "old") +
        piece(3, 4, " day") +
        'id: 2\nevent: effect.completed\ndata: {"sequence":2,"type":"effect.completed","data":{"step":"completion-1"}}\n\n',
      head,
    ),
    bytes(200, 'id: 5\nevent: gap\ndata: {"from":3,"to":5}\n\n' + message(6, "session.failed"), head),
  );
  const updates = await updatesOf(createClient({ baseUrl: server.url.origin }).watchSession("s"));
  assert.deepEqual(
    updates.flatMap((update) =>
      update.kind === "delta" ? [`${update.anew === true ? "|" : ""}${update.delta.text}`] : [],
    ),
    ["Hel", "lo", ", you", "|Good", " day"],
  );
  assert.deepEqual(
    updates.flatMap((update) => (update.kind === "gap" ? [update.gap] : [])),
    [{ from: 3, to: 5 }],
  );
  assert.deepEqual(sequences(updates), [1, 2, 6]);
  assert.deepEqual(
    server.seen.map(({ path, headers }) => [
      new URL(path, server.url).searchParams.get("delta_after"),
      headers["last-event-id"],
    ]),
    [
      [null, undefined],
      ["completion-1:1:3", "1"],
      ["completion-1:1:5", "1"],
      ["completion-1:3:4", "1"],
      [null, "2"],
    ],
  );
});

test("whoever stops watching, by leaving or by a signal, ends the connection and not the session", async () => {
  const id = await world.start("Say no.");
  const stop = new AbortController();
  const watched = updatesOf(soma.watchSession(id, { signal: stop.signal }), () => {
    stop.abort(new Error("enough"));
  });
  await assert.rejects(watched, { message: "enough" });
  for await (const update of soma.watchSession(id)) if (update.kind === "event") break;
  await world.until("the server has no stream open", async () => {
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    return /^soma_event_streams_open\S* 0$/m.test(metrics) ? true : undefined;
  });
  assert.notEqual((await soma.getSession(id)).status, "canceled");
  await soma.cancelSession(id);
});
