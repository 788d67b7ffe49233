import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "@soma/kit/digest";
import type { SessionQuery } from "../../src/ledger/ledger.ts";
import type { LedgerUnderTest, OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import { completedEvent, openingOf, stepEvents, unavailableEvent } from "./sample-events.ts";

const subject = { tenant: "tenant-a", session_id: "sess-1" };
const key = { tenant: "tenant-a", sessionId: "sess-1" };

export function describeReads(open: OpenLedger): void {
  test("pages go newest first, each session once, and do not move when sessions are created", async () => {
    await using store = await open();
    const { ledger } = store;
    await openMany(ledger, 0, 7);
    const first = await ledger.listSessions({ tenant: "tenant-a", limit: 3 });
    await openMany(ledger, 7, 9);
    const second = await ledger.listSessions({ tenant: "tenant-a", limit: 3, ...cursorOf(first) });
    const third = await ledger.listSessions({ tenant: "tenant-a", limit: 3, ...cursorOf(second) });
    assert.deepEqual(
      [first, second, third].map(({ rows }) => rows.map(({ session_id }) => session_id)),
      [["sess-6", "sess-5", "sess-4"], ["sess-3", "sess-2", "sess-1"], ["sess-0"]],
    );
    assert.equal(third.nextCursor, undefined);
    const exact = await ledger.listSessions({ tenant: "tenant-a", limit: 9 });
    assert.equal(exact.nextCursor, undefined);
  });

  test("a list filters by status, user, capsule, label and time", async () => {
    let now = Date.parse("2026-03-01T00:00:00Z");
    await using store = await open({ now: () => new Date(now) });
    const { ledger } = store;
    await ledger.openSession(openingOf({ ...subject, session_id: "old" }));
    now += 1000;
    await ledger.openSession(openingOf({ ...subject, session_id: "labeled" }, "hello", ["red", "blue"]));
    await ledger.openSession(openingOf({ ...subject, session_id: "other-user" }, "hello", [], "user-2"));
    const capsule = openingOf({ ...subject, session_id: "capsule" });
    const data = { ...capsule.created.data, capsule: "coder" };
    await ledger.openSession({ ...capsule, created: { ...capsule.created, data } });
    await ledger.openSession(openingOf({ ...subject, session_id: "ended" }));
    const ended = { ...subject, session_id: "ended" };
    await ledger.append([...stepEvents(ended, "step-1"), completedEvent(ended)]);
    const list = async (query: Omit<SessionQuery, "tenant" | "limit">): Promise<string[]> => {
      const { rows } = await ledger.listSessions({ tenant: "tenant-a", limit: 10, ...query });
      return rows.map(({ session_id }) => session_id);
    };
    assert.deepEqual(await list({ status: "completed" }), ["ended"]);
    assert.deepEqual(await list({ user: "user-2" }), ["other-user"]);
    assert.deepEqual(await list({ capsule: "coder" }), ["capsule"]);
    assert.deepEqual(await list({ label: "blue" }), ["labeled"]);
    assert.deepEqual(await list({ label: "blue", status: "completed" }), []);
    assert.equal((await list({ since: "2026-03-01T00:00:01Z" })).length, 4);
    assert.equal((await list({ since: "2026-03-01T01:00:01+01:00" })).length, 4);
    assert.equal((await list({ since: "2026-03-01T00:00:00Z" })).length, 5);
  });

  test("a cursor or time that cannot be read is VALIDATION_FAILED, also another tenant's cursor", async () => {
    await using store = await open();
    const { ledger } = store;
    await openMany(ledger, 0, 2);
    const { nextCursor = "" } = await ledger.listSessions({ tenant: "tenant-a", limit: 1 });
    assert.notEqual(nextCursor, "");
    const bad = [
      { tenant: "tenant-b", cursor: nextCursor },
      { tenant: "tenant-a", cursor: "nonsense" },
      { tenant: "tenant-a", since: "yesterday" },
    ];
    for (const query of bad) {
      await assert.rejects(ledger.listSessions({ ...query, limit: 1 }), code("VALIDATION_FAILED"));
    }
    await assert.rejects(ledger.listSessions({ tenant: "tenant-a", limit: -1 }), TypeError);
  });

  test("events are read by key and by page, with the same bytes everywhere", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const appended = await ledger.append(stepEvents(subject, "step-1"));
    const found = await ledger.findEvent("tenant-a", "sess-1", "step-1/effect.intended");
    assert.deepEqual(found, appended[1]?.event);
    assert.equal(await ledger.findEvent("tenant-a", "sess-1", "step-9/effect.intended"), undefined);
    const page = await ledger.readEvents({ ...key, after: 1, limit: 2 });
    assert.deepEqual(
      page,
      appended.slice(0, 2).map(({ event }) => event),
    );
    const tailed = await ledger.tail({ afterPosition: 0, limit: 10 });
    assert.equal(tailed.length, 4);
    for (const { event, json } of tailed) assert.equal(json, canonicalJson(event));
  });

  test("a tail that follows writers of two handles misses nothing and sees nothing twice", async () => {
    await using store = await open();
    const other = await store.reopen();
    const subjects = ["s-0", "s-1", "s-2"].map((session_id) => ({ tenant: "tenant-a", session_id }));
    for (const each of subjects) await store.ledger.openSession(openingOf(each));
    const writes = Promise.all(
      Array.from({ length: 150 }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, index % 40));
        const each = subjects[index % 3] ?? subject;
        await (index % 2 === 0 ? store.ledger : other).append([unavailableEvent(each, `event-${index}`)]);
      }),
    );
    const seen: string[] = [];
    let afterPosition = 0;
    const follow = async (): Promise<void> => {
      for (const { position, event } of await store.ledger.tail({ afterPosition, limit: 7 })) {
        assert.ok(position > afterPosition);
        afterPosition = position;
        seen.push(event.id);
      }
    };
    const writing = new AbortController();
    void writes.finally(() => writing.abort());
    while (!writing.signal.aborted || afterPosition < (await store.ledger.lastPosition())) {
      await follow();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writes;
    const all = await other.tail({ afterPosition: 0, limit: 1000 });
    assert.equal(all.length, 153);
    assert.deepEqual(
      seen,
      all.map(({ event }) => event.id),
    );
  });

  test("listeners hear of new events only, after they can be read, until they leave", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    await settled();
    const positions: Promise<number>[] = [];
    const leave = ledger.onAppend(() => positions.push(ledger.lastPosition()));
    await ledger.append([unavailableEvent(subject, "a")]);
    await settled();
    await ledger.append([unavailableEvent(subject, "a")]);
    await ledger.checkWritable();
    await ledger.setRunId({ ...key, runId: "run" });
    await settled();
    await ledger.openSession(openingOf({ ...subject, session_id: "sess-2" }));
    await settled();
    await ledger.openSession(openingOf({ ...subject, session_id: "sess-2" }));
    await settled();
    leave();
    await ledger.append([unavailableEvent(subject, "b")]);
    await settled();
    assert.deepEqual(await Promise.all(positions), [2, 3]);
  });

  test("what was acknowledged is there for the next one who opens the store", async () => {
    await using store = await open();
    await store.ledger.openSession(openingOf(subject));
    await store.ledger.append(stepEvents(subject, "step-1"));
    await store.ledger.checkWritable();
    const row = await store.ledger.findSession(key);
    const events = await store.ledger.tail({ afterPosition: 0, limit: 10 });
    await store.ledger.close();
    await store.ledger.close();
    await assert.rejects(store.ledger.append([unavailableEvent(subject, "x")]), code("AUDIT_UNAVAILABLE"));
    await assert.rejects(store.ledger.findSession(key), code("AUDIT_UNAVAILABLE"));
    const next = await store.reopen();
    assert.deepEqual(await next.findSession(key), row);
    assert.deepEqual(await next.tail({ afterPosition: 0, limit: 10 }), events);
  });
}

async function openMany(ledger: LedgerUnderTest["ledger"], from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1)
    await ledger.openSession(openingOf({ ...subject, session_id: `sess-${index}` }));
}

function cursorOf(page: { readonly nextCursor?: string }): { cursor: string } {
  assert.ok(page.nextCursor);
  return { cursor: page.nextCursor };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
