import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import {
  completedEvent,
  openingOf,
  recoveredEvent,
  stepEvents,
  unavailableEvent,
  usage,
  writer,
} from "./sample-events.ts";

const subject = { tenant: "tenant-a", session_id: "sess-1" };
const key = { tenant: "tenant-a", sessionId: "sess-1" };
const idempotency = { key: "key-1", requestDigest: sha256("request") };

export function describeSessions(open: OpenLedger): void {
  test("a session goes from created to its result, and waits visibly in between", async () => {
    await using store = await open();
    const { ledger } = store;
    const { row, duplicate } = await ledger.openSession(openingOf(subject, "hello", ["demo"]));
    assert.equal(duplicate, false);
    assert.equal(row.status, "starting");
    assert.equal(row.workflow_id, "session-sess-1");
    const [decided, intended, done] = stepEvents(subject, "step-1");
    assert.ok(decided && intended && done);
    await ledger.append([decided]);
    assert.equal((await ledger.findSession(key))?.status, "running");
    await ledger.append([unavailableEvent(subject, "outage-1")]);
    assert.equal((await ledger.findSession(key))?.blocked_on, "slm");
    assert.equal((await ledger.findSession(key))?.blocked_code, "MODEL_UNAVAILABLE");
    await ledger.append([recoveredEvent(subject, "outage-1/over"), intended, done, completedEvent(subject)]);
    await ledger.setRunId({ ...key, runId: "run-1" });
    const ended = await ledger.findSession(key);
    assert.equal(ended?.blocked_on, undefined);
    assert.equal(ended?.status, "completed");
    assert.equal(ended?.run_id, "run-1");
    assert.deepEqual(ended?.result, { digest: sha256("world"), model: "small", finish_reason: "stop", usage });
    assert.equal(ended?.decision?.decision_id, "decision-step-1");
    assert.deepEqual(ended?.labels, ["demo"]);
    const text = await ledger.readContent({ tenant: "tenant-a", user: "user-1", digest: sha256("hello") });
    assert.equal(Buffer.from(text ?? []).toString("utf8"), "hello");
  });

  test("a pause says why and leaves no trace once it is over, before a decision and after it", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const [decided] = stepEvents(subject, "step-1");
    assert.ok(decided);
    const told = (type: "session.paused" | "session.resumed", name: string) =>
      ledger.append([
        { ...writer(subject), type, key: name, data: { step: "step-1", reason: "tenant_suspended" as const } },
      ]);
    const seen = async () => {
      const row = await ledger.findSession(key);
      return [row?.status, row?.blocked_on, row?.blocked_code];
    };
    await told("session.paused", "p-1");
    assert.deepEqual(await seen(), ["paused", undefined, "TENANT_SUSPENDED"]);
    await told("session.resumed", "r-1");
    assert.deepEqual(await seen(), ["starting", undefined, undefined]);
    await ledger.append([decided, unavailableEvent(subject, "outage-1")]);
    await told("session.paused", "p-2");
    assert.deepEqual(await seen(), ["paused", "slm", "MODEL_UNAVAILABLE"]);
    await told("session.resumed", "r-2");
    assert.deepEqual(await seen(), ["running", "slm", "MODEL_UNAVAILABLE"]);
  });

  test("opening the same session again gives the one that is there", async () => {
    await using store = await open();
    const other = await store.reopen();
    const opened = await Promise.all([
      store.ledger.openSession(openingOf(subject)),
      store.ledger.openSession(openingOf(subject)),
      other.openSession(openingOf(subject)),
    ]);
    assert.equal(opened.filter(({ duplicate }) => !duplicate).length, 1);
    for (const { row } of opened) assert.deepEqual(row, opened[0]?.row);
    assert.equal(await other.lastPosition(), 1);
  });

  test("an id that is in use is refused in the same words, own or another's", async () => {
    await using store = await open();
    await store.ledger.openSession(openingOf(subject));
    const refusals = await Promise.all(
      [
        openingOf(subject, "other words"),
        openingOf(subject, "hello", [], "user-2"),
        openingOf({ ...subject, tenant: "tenant-b" }),
      ].map((opening) => store.ledger.openSession(opening).catch((error: unknown) => error)),
    );
    for (const refusal of refusals) {
      assert.ok(refusal instanceof DomainError);
      assert.equal(refusal.code, "SESSION_ID_TAKEN");
      assert.equal(refusal.message, "The session id is in use; choose another one, or leave it out.");
      assert.equal(refusal.cause, undefined);
    }
    assert.equal(await store.ledger.lastPosition(), 1);
  });

  test("two tenants that open one id at once: one wins, the other is refused", async () => {
    await using store = await open();
    const other = await store.reopen();
    for (let round = 0; round < 10; round += 1) {
      const session_id = `sess-${round}`;
      const outcomes = await Promise.allSettled([
        store.ledger.openSession(openingOf({ tenant: "tenant-a", session_id })),
        other.openSession(openingOf({ tenant: "tenant-b", session_id })),
      ]);
      const refused = outcomes.filter((outcome) => outcome.status === "rejected");
      assert.equal(refused.length, 1);
      assert.ok(code("SESSION_ID_TAKEN")(refused[0]?.reason));
    }
  });

  test("an idempotency key gives the first session, also to a request that brings a new id", async () => {
    await using store = await open();
    const { ledger } = store;
    const again = openingOf({ ...subject, session_id: "sess-2" });
    const opened = await Promise.all([
      ledger.openSession({ ...openingOf(subject), idempotency }),
      ledger.openSession({ ...again, idempotency }),
    ]);
    // Which of the two was first is the store's to say.
    const first = opened.find(({ duplicate }) => !duplicate)?.row.session_id;
    assert.equal(opened.filter(({ duplicate }) => duplicate).length, 1);
    assert.deepEqual(new Set(opened.map(({ row }) => row.session_id)), new Set([first]));
    const other = first === "sess-1" ? "sess-2" : "sess-1";
    assert.equal(await ledger.findSession({ ...key, sessionId: other }), undefined);
    await assert.rejects(
      ledger.openSession({ ...again, idempotency: { ...idempotency, requestDigest: sha256("other") } }),
      code("IDEMPOTENCY_KEY_REUSED"),
    );
    const found = await ledger.findIdempotency({ tenant: "tenant-a", key: "key-1" });
    assert.equal(found?.sessionId, first);
    assert.equal(found?.requestDigest, idempotency.requestDigest);
  });

  test("an idempotency key is forgotten after 24 hours", async () => {
    let now = Date.parse("2026-03-01T00:00:00Z");
    await using store = await open({ now: () => new Date(now) });
    const { ledger } = store;
    await ledger.openSession({ ...openingOf(subject), idempotency });
    now += 86_400_000 - 1;
    assert.ok(await ledger.findIdempotency({ tenant: "tenant-a", key: "key-1" }));
    now += 1;
    assert.equal(await ledger.findIdempotency({ tenant: "tenant-a", key: "key-1" }), undefined);
    const next = openingOf({ ...subject, session_id: "sess-2" });
    const reused = { ...idempotency, requestDigest: sha256("other") };
    assert.equal((await ledger.openSession({ ...next, idempotency: reused })).duplicate, false);
  });

  test("a refused opening leaves no idempotency record and no content", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    await assert.rejects(ledger.openSession({ ...openingOf(subject, "other"), idempotency }), code("SESSION_ID_TAKEN"));
    assert.equal(await ledger.findIdempotency({ tenant: "tenant-a", key: "key-1" }), undefined);
    assert.equal(await ledger.readContent({ tenant: "tenant-a", user: "user-1", digest: sha256("other") }), undefined);
  });

  test("the sessions that have not ended are found over all tenants, in the order of creation, and no others", async () => {
    await using store = await open();
    const { ledger } = store;
    const subjects = ["a", "b", "a", "c"].map((tenant, index) => ({
      tenant: `tenant-${tenant}`,
      session_id: `sess-${String(index)}`,
    }));
    for (const each of subjects) await ledger.openSession(openingOf(each));
    const all = await ledger.unendedSessions({ afterOrdinal: 0, limit: 10 });
    const keys = subjects.map(({ tenant, session_id: sessionId }) => ({ tenant, sessionId }));
    assert.deepEqual(
      all.map(({ tenant, sessionId }) => ({ tenant, sessionId })),
      keys,
    );
    await ledger.append([
      { ...unavailableEvent({ tenant: "tenant-b", session_id: "sess-1" }, "end"), type: "session.canceled", data: {} },
    ]);
    const first = await ledger.unendedSessions({ afterOrdinal: 0, limit: 2 });
    assert.deepEqual(
      first.map(({ sessionId }) => sessionId),
      ["sess-0", "sess-2"],
    );
    const rest = await ledger.unendedSessions({ afterOrdinal: first.at(-1)?.ordinal ?? 0, limit: 2 });
    assert.deepEqual(
      rest.map(({ sessionId }) => sessionId),
      ["sess-3"],
    );
  });

  test("a tenant sees nothing of another", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession({ ...openingOf(subject), idempotency });
    const theirs = { tenant: "tenant-b", sessionId: "sess-1" };
    assert.equal(await ledger.findSession(theirs), undefined);
    assert.deepEqual(await ledger.readEvents({ ...theirs, after: 0, limit: 10 }), []);
    assert.equal(await ledger.findEvent("tenant-b", "sess-1", "session.created"), undefined);
    assert.equal(await ledger.readContent({ tenant: "tenant-b", user: "user-1", digest: sha256("hello") }), undefined);
    assert.equal(await ledger.findIdempotency({ tenant: "tenant-b", key: "key-1" }), undefined);
    assert.deepEqual(await ledger.listSessions({ tenant: "tenant-b", limit: 10 }), { rows: [] });
    await assert.rejects(ledger.setRunId({ ...theirs, runId: "run" }), code("SESSION_NOT_FOUND"));
    await assert.rejects(
      ledger.append([unavailableEvent({ ...subject, tenant: "tenant-b" }, "x")]),
      code("SESSION_NOT_FOUND"),
    );
    const key2 = { ...idempotency, requestDigest: sha256("theirs") };
    const opening = openingOf({ tenant: "tenant-b", session_id: "sess-b" });
    assert.equal((await ledger.openSession({ ...opening, idempotency: key2 })).duplicate, false);
  });
}
