import assert from "node:assert/strict";
import { test } from "node:test";
import { genesisHash, type NewEvent } from "@soma/contracts/audit";
import { sha256 } from "@soma/kit/digest";
import * as fc from "fast-check";
import { newContent } from "../../src/ledger/content.ts";
import { eventHash } from "../../src/ledger/event-chain.ts";
import { projectSession } from "../../src/ledger/session-projection.ts";
import type { SessionProjection } from "../../src/ledger/session-row.ts";
import { anyStory } from "./any-events.ts";
import type { OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import { completedEvent, openingOf, stepEvents, unavailableEvent, writer } from "./sample-events.ts";

const subject = { tenant: "tenant-a", session_id: "sess-1" };
const key = { tenant: "tenant-a", sessionId: "sess-1" };

export function describeAppends(open: OpenLedger): void {
  test("200 appends at once over several sessions leave each chain whole and without a gap", async () => {
    await using store = await open();
    const { ledger } = store;
    const subjects = ["sess-1", "sess-2", "sess-3", "sess-4"].map((session_id) => ({ tenant: "tenant-a", session_id }));
    await Promise.all(subjects.map((each) => ledger.openSession(openingOf(each))));
    const appends = Array.from({ length: 200 }, (_, index) => {
      const each = subjects[index % subjects.length] ?? subject;
      return ledger.append([unavailableEvent(each, `event-${index}`)]);
    });
    await Promise.all(appends);
    for (const { session_id } of subjects) {
      const events = await ledger.readEvents({ tenant: "tenant-a", sessionId: session_id, after: 0, limit: 1000 });
      assert.deepEqual(
        events.map(({ sequence }) => sequence),
        Array.from({ length: 51 }, (_, index) => index + 1),
      );
      let prevhash: string = genesisHash;
      for (const event of events) {
        assert.equal(event.prevhash, prevhash);
        assert.equal(event.hash, eventHash(event));
        prevhash = event.hash;
      }
      assert.equal((await ledger.findSession({ ...key, sessionId: session_id }))?.last_seq, 51);
    }
  });

  test("the same event again keeps its place, whatever the trace of the attempt", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const event = unavailableEvent(subject, "outage-1");
    const [first] = await ledger.append([{ ...event, traceparent: "00-aa-bb-01" }]);
    const [second] = await ledger.append([{ ...event, traceparent: "00-cc-dd-01" }]);
    const [third] = await ledger.append([event]);
    assert.equal(first?.duplicate, false);
    assert.deepEqual(second, { event: first?.event, duplicate: true });
    assert.deepEqual(third, { event: first?.event, duplicate: true });
    await ledger.append([{ ...event, key: "outage-2" }]);
    const [traced] = await ledger.append([{ ...event, key: "outage-2", traceparent: "00-ee-ff-01" }]);
    assert.equal(traced?.duplicate, true);
    assert.equal(await ledger.lastPosition(), 3);
  });

  test("the same event twice at once is recorded once", async () => {
    await using store = await open();
    const other = await store.reopen();
    await store.ledger.openSession(openingOf(subject));
    const event = unavailableEvent(subject, "outage-1");
    const appended = await Promise.all([
      store.ledger.append([event]),
      store.ledger.append([event, event]),
      other.append([event]),
    ]);
    assert.equal(appended.flat().filter(({ duplicate }) => !duplicate).length, 1);
    assert.equal(await other.lastPosition(), 2);
  });

  test("the same key with other content is EVENT_CONFLICT and changes nothing", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    await ledger.append([unavailableEvent(subject, "step-1")]);
    const row = await ledger.findSession(key);
    const [other] = stepEvents(subject, "step-1");
    assert.ok(other);
    await assert.rejects(ledger.append([{ ...other, key: "step-1" }]), code("EVENT_CONFLICT"));
    await assert.rejects(
      ledger.append([{ ...unavailableEvent(subject, "step-1"), user: "user-2" }]),
      code("EVENT_CONFLICT"),
    );
    assert.deepEqual(await ledger.findSession(key), row);
    assert.equal(await ledger.lastPosition(), 2);
  });

  test("an ended session takes no event but hears a recorded one again", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    await ledger.append(stepEvents(subject, "step-1"));
    await ledger.append([completedEvent(subject)]);
    await assert.rejects(ledger.append([unavailableEvent(subject, "late")]), code("SESSION_ENDED"));
    await assert.rejects(
      ledger.append([{ ...writer(subject), type: "session.canceled", key: "late", data: {} }]),
      code("SESSION_ENDED"),
    );
    const [again] = await ledger.append([completedEvent(subject)]);
    assert.equal(again?.duplicate, true);
    assert.equal((await ledger.findSession(key))?.status, "completed");
  });

  test("all or nothing: a refused event takes its neighbours and their contents with it", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const content = newContent({ tenant: "tenant-a", user: "user-1" }, "text/plain", "never written");
    const stranger = { ...subject, session_id: "sess-nobody" };
    const before = await ledger.findSession(key);
    await assert.rejects(
      ledger.append([...stepEvents(subject, "step-1"), unavailableEvent(stranger, "x")], [content]),
      code("SESSION_NOT_FOUND"),
    );
    assert.deepEqual(await ledger.findSession(key), before);
    assert.equal(await ledger.lastPosition(), 1);
    assert.equal(await ledger.readContent(content), undefined);
  });

  test("one refused write leaves those that wait beside it alone", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const outcomes = await Promise.allSettled([
      ledger.append([unavailableEvent(subject, "a")]),
      ledger.append([unavailableEvent({ ...subject, session_id: "nobody" }, "b")]),
      ledger.append([unavailableEvent(subject, "c")]),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.equal((await ledger.findSession(key))?.last_seq, 3);
  });

  test("an event that does not fit its contract is a programming error and is not recorded", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const good = unavailableEvent(subject, "x");
    const bad: NewEvent[] = [
      {
        ...writer(subject),
        type: "session.denied",
        key: "x",
        data: { code: "POLICY_DENIED", step: "Not A Step", reasons: [] },
      },
      { ...good, key: "has space" },
      { ...good, key: "" },
      { ...good, user: "no spaces allowed" },
      { ...good, agent: "lone surrogate \ud800" },
      { ...openingOf(subject).created, key: "created-again" },
    ];
    for (const event of bad) await assert.rejects(ledger.append([event]), TypeError);
    const forged = { ...newContent({ tenant: "tenant-a", user: "user-1" }, "text/plain", "a"), digest: sha256("b") };
    await assert.rejects(ledger.append([good], [forged]), TypeError);
    await assert.rejects(
      ledger.append([good], [newContent({ tenant: "tenant-b", user: "user-1" }, "text/plain", "a")]),
      TypeError,
    );
    assert.equal(await ledger.lastPosition(), 1);
  });

  test("the projection is what a replay of the events gives, for any story", async (context) => {
    await using store = await open();
    let count = 0;
    const property = fc.asyncProperty(anyStory, async (story) => {
      const session = { tenant: "tenant-a", session_id: `sess-${(count += 1)}` };
      await store.ledger.openSession(openingOf(session, "hello", ["one", "two"]));
      for (const group of story(session)) await store.ledger.append(group);
      const query = { tenant: "tenant-a", sessionId: session.session_id };
      const events = await store.ledger.readEvents({ ...query, after: 0, limit: 1000 });
      let replayed: SessionProjection | undefined;
      for (const event of events) replayed = projectSession(replayed, event);
      const row = await store.ledger.findSession(query);
      assert.deepEqual(row, { ...replayed, workflow_id: `session-${session.session_id}` });
      assert.equal(events.length, 1 + story(session).flat().length);
    });
    const seed = Date.now() % 2 ** 31;
    context.diagnostic(`seed ${seed}`);
    await fc.assert(property, { seed, numRuns: 60 });
  });
}
