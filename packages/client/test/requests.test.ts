import assert from "node:assert/strict";
import { after, test } from "node:test";
import { dropAnswer, neverCut, startCuttingProxy } from "../../../tests/harness/cutting-proxy.ts";
import { deniedPrompt } from "../../../tests/harness/api-stack.ts";
import { startFaultProxy } from "../../../tests/harness/fault-proxy.ts";
import { createClient } from "../src/client.ts";
import { startSessions } from "./real-sessions.ts";

const world = await startSessions({ after }, "client-requests");
const wire = await startCuttingProxy({ after }, world.url);
const proxy = await startFaultProxy({ after }, wire.url);
const soma = createClient({ baseUrl: proxy.url, token: () => world.token() });

/** Answers with this until `afterMs` have gone by. */
function failFor(afterMs: number, status: number, headers: Record<string, string> = {}): number {
  proxy.fault = { kind: "lie", status, headers, body: "" };
  setTimeout(() => {
    proxy.fault = { kind: "pass" };
  }, afterMs);
  return proxy.seen.length;
}

test("a session is started, found, listed and read page by page", async () => {
  const label = `label-${crypto.randomUUID()}`;
  const ids: string[] = [];
  for (let count = 0; count < 5; count += 1)
    ids.push((await soma.startSession({ prompt: deniedPrompt, metadata: { labels: [label] } })).session_id);
  for (const id of ids) assert.equal((await soma.waitForSession(id)).status, "denied");
  const found: string[] = [];
  for await (const { session_id } of soma.listSessions({ label }, { pageSize: 2 })) found.push(session_id);
  assert.deepEqual(found, ids.toReversed());
  assert.equal((await soma.getSessionPage({ label }, { pageSize: 2 })).sessions.length, 2);
  const [id = ""] = ids;
  const events = [];
  for await (const event of soma.readEvents(id, { pageSize: 1 })) events.push(event);
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    Array.from({ length: (await soma.getSession(`session-${id}`)).last_seq }, (_, index) => index + 1),
  );
});

test("a start whose answer is lost is repeated with its key: one session, and its id is known", async () => {
  const label = `label-${crypto.randomUUID()}`;
  wire.cut = dropAnswer;
  setTimeout(() => {
    wire.cut = neverCut;
  }, 500);
  // Straight through the wire, so that the cut is the client's to notice.
  const client = createClient({ baseUrl: wire.url, token: () => world.token() });
  const before = wire.connections;
  const { session_id: id } = await client.startSession({ prompt: deniedPrompt, metadata: { labels: [label] } });
  assert.ok(wire.connections - before > 1, "it was not repeated");
  const found: string[] = [];
  for await (const session of client.listSessions({ label })) found.push(session.session_id);
  assert.deepEqual(found, [id]);
});

test("a start with a key of one's own is the same session, also from another client", async () => {
  const options = { idempotencyKey: crypto.randomUUID() };
  const first = await soma.startSession({ prompt: deniedPrompt }, options);
  assert.deepEqual(
    await createClient({ baseUrl: world.url, token: () => world.token() }).startSession(
      { prompt: deniedPrompt },
      options,
    ),
    first,
  );
  await assert.rejects(soma.startSession({ prompt: "another" }, options), {
    code: "IDEMPOTENCY_KEY_REUSED",
    status: 422,
  });
});

for (const status of [429, 502, 503, 504])
  test(`a read that is answered with ${String(status)} is repeated`, async () => {
    const before = failFor(300, status);
    await soma.getSessionPage();
    assert.ok(proxy.seen.length - before > 1);
  });

test("Retry-After is kept: nothing is asked before", async () => {
  const before = failFor(100, 503, { "retry-after": "1" });
  const begin = performance.now();
  await soma.getSessionPage();
  assert.equal(proxy.seen.length - before, 2);
  assert.ok(performance.now() - begin >= 1_000);
});

/** The policy of the demo tenant wants this approved: without a model, too, such a turn begins and does not end by itself. */
const release = "Write one line about the release to our customers.";

test("what is said is followed to the end of its turn; said again under its key, it is said once and followed again", async () => {
  const { session_id: id } = await soma.startSession({ prompt: deniedPrompt, mode: "interactive", idle_seconds: 600 });
  for await (const update of soma.followTurn(id, 1)) assert.notEqual(update.kind, "delta");
  assert.equal((await soma.getSession(id)).status, "waiting_input");
  wire.cut = dropAnswer;
  setTimeout(() => {
    wire.cut = neverCut;
  }, 500);
  const viaWire = createClient({ baseUrl: wire.url, token: () => world.token() });
  const lost = await viaWire.sendMessage(id, { text: release });
  assert.equal(lost.accepted?.turn, 2);
  const key = { idempotencyKey: crypto.randomUUID() };
  const said = await soma.say(id, { text: `${release} Or another.`, busy: "interrupt" }, key);
  assert.equal(said.turn, 3);
  const types: string[] = [];
  for await (const update of said.updates) {
    if (update.kind !== "event") continue;
    types.push(update.event.type);
    // What waits ends with a message that interrupts it; then this turn has ended, and its reader is done.
    if (update.event.type === "approval.requested") await soma.sendMessage(id, { text: release, busy: "rollback" });
  }
  assert.deepEqual([types.at(0), types.at(-1)], ["message.received", "turn.ended"]);
  const again = await soma.say(id, { text: `${release} Or another.`, busy: "interrupt" }, key);
  assert.deepEqual([again.turn, again.actionId], [3, said.actionId]);
  const repeated: string[] = [];
  for await (const update of again.updates) if (update.kind === "event") repeated.push(update.event.type);
  assert.deepEqual(repeated, types);
  await soma.terminateSession(id);
  const received: unknown[] = [];
  for await (const { type, data } of soma.readEvents(id)) if (type === "message.received") received.push(data["busy"]);
  assert.deepEqual(received, ["reject", "interrupt", "rollback"]);
});

test("a cancellation that is asked for again under its key has come true, and is no error", async () => {
  const id = await world.start("Say yes.");
  const key = { idempotencyKey: crypto.randomUUID() };
  const first = await soma.cancelSession(id, {}, key);
  assert.equal((await soma.waitForSession(id)).status, "canceled");
  assert.deepEqual((await soma.cancelSession(id, {}, key)).accepted, first.accepted);
  await assert.rejects(soma.cancelSession(id), { code: "ACTION_NOT_ALLOWED", status: 409 });
});

test("no other answer is repeated, and nothing that is not safe to repeat", async () => {
  const id = await world.start("Say yes.");
  for (const status of [400, 401, 403, 404, 408, 409, 500, 501]) {
    const before = proxy.seen.length;
    proxy.fault = { kind: "lie", status, body: "" };
    await assert.rejects(soma.getSession(id), { status });
    assert.equal(proxy.seen.length - before, 1, String(status));
  }
  const before = proxy.seen.length;
  proxy.fault = { kind: "lie", status: 503, body: "" };
  await assert.rejects(soma.apiKeys.revoke("0123456789abcdef"), { status: 503 });
  assert.equal(proxy.seen.length - before, 1);
  proxy.fault = { kind: "pass" };
  await soma.cancelSession(id);
  assert.equal((await soma.waitForSession(id)).status, "canceled");
});

test("a call ends within its time, whatever the server does", async () => {
  const client = createClient({ baseUrl: proxy.url, timeoutMs: 500, attemptTimeoutMs: 200 });
  proxy.fault = { kind: "hang" };
  const before = proxy.seen.length;
  await assert.rejects(client.getSessionPage(), { code: "TIMED_OUT", status: 0 });
  assert.ok(proxy.seen.length - before > 1, "the first attempt took all of the time");
  proxy.fault = { kind: "lie", status: 503, headers: { "retry-after": "60" }, body: "" };
  // The server asks for more time than there is: said at once.
  await assert.rejects(client.getSessionPage(), { status: 503, retryAfterSeconds: 60 });
  proxy.fault = { kind: "pass" };
});

test("whoever aborts a call gets his own reason", async () => {
  proxy.fault = { kind: "hang" };
  const reason = new Error("enough");
  const stop = new AbortController();
  setTimeout(() => {
    stop.abort(reason);
  }, 50);
  await assert.rejects(soma.getSessionPage({}, { signal: stop.signal }), reason);
  proxy.fault = { kind: "lie", status: 503, headers: { "retry-after": "5" }, body: "" };
  await assert.rejects(soma.getSessionPage({}, { signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
  proxy.fault = { kind: "pass" };
});
