import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { isSessionId } from "@soma/contracts/ids";
import type { StartSessionRequest } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import type { Principal } from "../../src/access/principal.ts";
import { cancelSession } from "../../src/sessions/cancel-session.ts";
import { findSession } from "../../src/sessions/find-session.ts";
import { viewSession } from "../../src/sessions/session-view.ts";
import { startSession } from "../../src/sessions/start-session.ts";
import { tenantId, userId } from "../harness/ids.ts";
import { createSessionDeps } from "../harness/session-deps.ts";
import { eventTypes, openSession, readRow } from "../harness/sessions.ts";
import { code } from "../ledger/refusal.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";

const ann: Principal = { tenant: tenantId("tenant-a"), user: userId("ann"), role: "operator", authn: "token" };
const bob: Principal = { ...ann, tenant: tenantId("tenant-b"), user: userId("bob") };
const named = (session_id: string, prompt = "hello"): StartSessionRequest => ({ prompt, metadata: { session_id } });

/**
 * The real use case on a real ledger; Temporal is seen as there and gives no answer. The first event of a ledger is that of
 * the tenant, which comes to exist with its first session.
 */
async function openWorld() {
  const store = await openTemporaryLedger();
  const seen = { temporalIsUp: true, backlogIsFull: false };
  const { deps, ...link } = createSessionDeps(store.ledger, seen);
  const start = (principal: Principal, request: StartSessionRequest, key?: string) =>
    startSession(deps, principal, request, key);
  return {
    ledger: store.ledger,
    deps,
    seen,
    start,
    /** A start that Temporal took, and whose answer it gave: the run id is there. */
    async started(principal: Principal, request: StartSessionRequest, key?: string) {
      await assert.rejects(start(principal, request, key), code("TEMPORAL_UNAVAILABLE"));
      const { rows } = await store.ledger.listSessions({ tenant: principal.tenant, limit: 1 });
      const [row] = rows;
      assert.ok(row);
      const runId = randomUUID();
      await store.ledger.setRunId({ tenant: row.tenant, sessionId: row.session_id, runId });
      return { ...row, run_id: runId };
    },
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function refusalOf(promise: Promise<unknown>): Promise<{ code: string; message: string; fields: unknown }> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof DomainError, String(error));
    return { code: error.code, message: error.message, fields: error.fields };
  }
  return assert.fail("it was not refused");
}

test("while Temporal is known to be away nothing is written: no half session", async () => {
  await using world = await openWorld();
  world.seen.temporalIsUp = false;
  await assert.rejects(world.start(ann, named("sess-1"), "key-1"), code("TEMPORAL_UNAVAILABLE"));
  assert.equal(await world.ledger.lastPosition(), 0);
  assert.equal(await world.ledger.findIdempotency({ tenant: ann.tenant, key: "key-1" }), undefined);
});

test("while too many events wait for Kafka nothing is started, and the caller is told when to come back", async () => {
  await using world = await openWorld();
  await world.started(ann, named("sess-1"), "key-1");
  world.seen.backlogIsFull = true;
  await assert.rejects(world.start(ann, named("sess-2"), "key-2"), (error) => {
    assert.ok(error instanceof DomainError);
    assert.equal(error.code, "AUDIT_BACKLOG_FULL");
    assert.equal(error.retryAfterSeconds, 10);
    assert.match(error.message, /nothing was started.*AUDIT_BACKLOG_MAX/);
    return true;
  });
  assert.equal(await world.ledger.lastPosition(), 2);
  world.seen.backlogIsFull = false;
  await world.started(ann, named("sess-2"), "key-2");
});

test("P4: an id that is in use is refused in the same words, whether it is one's own or a stranger's", async () => {
  await using world = await openWorld();
  await world.started(ann, named("sess-1"));
  const own = await refusalOf(world.start(ann, named("sess-1")));
  const ownOther = await refusalOf(world.start(ann, named("sess-1", "another prompt")));
  const colleague = await refusalOf(world.start({ ...ann, user: userId("amy") }, named("sess-1")));
  const foreign = await refusalOf(world.start(bob, named("sess-1")));
  const withKey = await refusalOf(world.start(bob, named("sess-1"), "key-1"));
  assert.equal(own.code, "SESSION_ID_TAKEN");
  for (const refusal of [ownOther, colleague, foreign, withKey]) assert.deepEqual(refusal, own);
  assert.ok(!/tenant-a|ann|hello/.test(JSON.stringify(own)));
  assert.equal(await world.ledger.lastPosition(), 2);
  assert.equal(await world.ledger.findIdempotency({ tenant: bob.tenant, key: "key-1" }), undefined);
});

test("the same key and body give the same session, also long after it began, and one session", async () => {
  await using world = await openWorld();
  const request = { prompt: "hello" };
  const row = await world.started(ann, request, "key-1");
  const accepted = {
    session_id: row.session_id,
    workflow_id: `session-${row.session_id}`,
    run_id: row.run_id,
    task_queue: "somagent.session.workflows",
    status: "running",
  };
  for (let round = 0; round < 3; round += 1) assert.deepEqual(await world.start(ann, request, "key-1"), accepted);
  const again = await Promise.all(Array.from({ length: 5 }, () => world.start(ann, request, "key-1")));
  for (const answer of again) assert.deepEqual(answer, accepted);
  assert.equal(await world.ledger.lastPosition(), 2);
});

test("the same key with another body is refused, whatever differs", async () => {
  await using world = await openWorld();
  await world.started(ann, { prompt: "hello" }, "key-1");
  for (const other of [
    { prompt: "hello!" },
    { prompt: "hello", model: "small" },
    { prompt: "hello", metadata: {} },
    { prompt: "hello", tenant: ann.tenant },
  ])
    await assert.rejects(world.start(ann, other, "key-1"), code("IDEMPOTENCY_KEY_REUSED"));
  assert.equal(await world.ledger.lastPosition(), 2);
});

test("a key is the tenant's own", async () => {
  await using world = await openWorld();
  const first = await world.started(ann, { prompt: "hello" }, "key-1");
  const second = await world.started(bob, { prompt: "hello" }, "key-1");
  assert.notEqual(second.session_id, first.session_id);
});

test("a named session whose start was cut off is finished by the same call, and by no other", async () => {
  await using world = await openWorld();
  await assert.rejects(world.start(ann, named("sess-1")), code("TEMPORAL_UNAVAILABLE"));
  // No run yet: Temporal is asked again, and it is still not there.
  await assert.rejects(world.start(ann, named("sess-1")), code("TEMPORAL_UNAVAILABLE"));
  await assert.rejects(world.start(ann, named("sess-1", "another")), code("SESSION_ID_TAKEN"));
  await assert.rejects(world.start(bob, named("sess-1")), code("SESSION_ID_TAKEN"));
  assert.equal(await world.ledger.lastPosition(), 2);
});

test("a session that nobody can name is closed when its start fails, so that none waits for ever", async () => {
  await using world = await openWorld();
  await assert.rejects(world.start(ann, { prompt: "hello" }), code("TEMPORAL_UNAVAILABLE"));
  const { rows } = await world.ledger.listSessions({ tenant: ann.tenant, limit: 10 });
  assert.deepEqual(
    rows.map(({ status, error }) => [status, error?.code]),
    [["failed", "TEMPORAL_UNAVAILABLE"]],
  );
  assert.ok(rows[0]);
  assert.ok(isSessionId(rows[0].session_id));
  assert.match(rows[0].session_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
});

test("P2: who it is, is the principal's to say: metadata of the same names changes nothing", async () => {
  await using world = await openWorld();
  const metadata = { session_id: "sess-1", tenant: "tenant-b", user: "root", role: "admin", authn: "none", agent: "x" };
  const row = await world.started(ann, { prompt: "hello", metadata });
  assert.equal(row.tenant, "tenant-a");
  assert.equal(row.user, "ann");
  assert.equal(row.role, "operator");
  assert.equal(row.authn, "token");
  assert.equal(row.agent, "session-agent");
});

test("a session id of the caller's that is none is refused and named", async () => {
  await using world = await openWorld();
  for (const session_id of ["session-x", "", "a/b", "x".repeat(129), 7, null, ["a"]]) {
    const refusal = await refusalOf(world.start(ann, { prompt: "hello", metadata: { session_id } }));
    assert.equal(refusal.code, "VALIDATION_FAILED");
    assert.ok(JSON.stringify(refusal.fields).includes('"/metadata/session_id"'));
  }
  assert.equal(await world.ledger.lastPosition(), 0);
});

test("without a durable ledger nothing starts", async () => {
  await using world = await openWorld();
  await world.ledger.close();
  await assert.rejects(world.start(ann, named("sess-1")), code("AUDIT_UNAVAILABLE"));
});

test("P5: a foreign id, an unknown one and one that is none are not found in the same words", async () => {
  await using world = await openWorld();
  await openSession(world.ledger, { tenant: "tenant-a", user: "ann" });
  const { ledger } = world;
  assert.equal((await findSession(ledger, ann.tenant, "sess-1")).session_id, "sess-1");
  assert.equal((await findSession(ledger, ann.tenant, "session-sess-1")).session_id, "sess-1");
  // On loopback, where no tenant is named, the session's own is taken.
  assert.equal((await findSession(ledger, undefined, "sess-1")).tenant, "tenant-a");
  const refusals = await Promise.all(
    [
      [bob.tenant, "sess-1"],
      [bob.tenant, "session-sess-1"],
      [ann.tenant, "sess-2"],
      [ann.tenant, "session-session-sess-1"],
      [undefined, "sess-2"],
      [ann.tenant, "../../etc/passwd"],
      [ann.tenant, "'; DROP TABLE sessions; --"],
      [ann.tenant, ""],
    ].map(([tenant, id]) =>
      refusalOf(findSession(ledger, tenant === undefined ? undefined : tenantId(tenant), id ?? "")),
    ),
  );
  for (const refusal of refusals)
    assert.deepEqual(refusal, { code: "SESSION_NOT_FOUND", message: "No session has this id.", fields: [] });
});

test("a cancellation is recorded once before Temporal hears of it, whoever asks again", async () => {
  await using world = await openWorld();
  const row = await world.started(ann, named("sess-1"));
  for (const by of [ann.user, userId("amy"), undefined])
    await assert.rejects(cancelSession(world.deps, await readRow(world.ledger, row), by), code("TEMPORAL_UNAVAILABLE"));
  assert.deepEqual(await eventTypes(world.ledger, row), ["session.created", "session.cancel_requested"]);
  const events = await world.ledger.readEvents({ tenant: row.tenant, sessionId: "sess-1", after: 1, limit: 10 });
  assert.deepEqual(events[0]?.data, { by: "ann" });
});

test("a session that has ended takes no cancellation", async () => {
  await using world = await openWorld();
  await assert.rejects(world.start(ann, { prompt: "hello" }), code("TEMPORAL_UNAVAILABLE"));
  const { rows } = await world.ledger.listSessions({ tenant: ann.tenant, limit: 1 });
  const [row] = rows;
  assert.ok(row);
  await assert.rejects(cancelSession(world.deps, row, ann.user), code("ACTION_NOT_ALLOWED"));
  assert.equal(await world.ledger.lastPosition(), 3);
});

test("the session remembers the token that it was started with and those that it derives from; its view shows neither", async () => {
  await using world = await openWorld();
  const token = { jti: "jti-2", origins: ["jti-1", "jti-0"] };
  await world.started({ ...ann, token }, named("sess-derived"));
  await world.started({ ...ann, token: { jti: "jti-3", origins: [] } }, named("sess-login"));
  await world.started(ann, named("sess-none"));
  const created = async (id: string) => {
    const sessionId = (await findSession(world.ledger, ann.tenant, id)).session_id;
    const event = await world.ledger.findEvent(ann.tenant, sessionId, "session.created");
    return [event?.data["token_jti"], event?.data["token_origins"]];
  };
  assert.deepEqual(await created("sess-derived"), ["jti-2", ["jti-1", "jti-0"]]);
  assert.deepEqual(await created("sess-login"), ["jti-3", undefined]);
  assert.deepEqual(await created("sess-none"), [undefined, undefined]);
  const row = await findSession(world.ledger, ann.tenant, "sess-derived");
  assert.deepEqual([row.token_jti, row.token_origins], ["jti-2", ["jti-1", "jti-0"]]);
  assert.ok(!JSON.stringify(await viewSession(world.deps, row)).includes("jti-"));
});

test("a start that is repeated with a newer token finishes the first, whose token stays the session's", async () => {
  await using world = await openWorld();
  const withToken = (jti: string): Principal => ({ ...ann, token: { jti, origins: [] } });
  for (const jti of ["first", "second"])
    await assert.rejects(world.start(withToken(jti), named("sess-1")), code("TEMPORAL_UNAVAILABLE"));
  assert.equal((await findSession(world.ledger, ann.tenant, "sess-1")).token_jti, "first");
  await assert.rejects(world.start(withToken("first"), named("sess-1", "another prompt")), code("SESSION_ID_TAKEN"));
});
