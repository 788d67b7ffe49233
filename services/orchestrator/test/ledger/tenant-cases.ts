import assert from "node:assert/strict";
import { test } from "node:test";
import { genesisHash } from "@soma/contracts/audit";
import { sha256 } from "@soma/kit/digest";
import { eventHash } from "../../src/ledger/event-chain.ts";
import { projectTenant } from "../../src/ledger/tenant-projection.ts";
import type { TenantRow } from "../../src/ledger/tenant-row.ts";
import type { OpenLedger } from "./ledger-suite.ts";
import { code } from "./refusal.ts";
import { completedEvent, openingOf, stepEvents } from "./sample-events.ts";
import {
  accessRefused,
  tenantCreated,
  tenantFound,
  tenantResumed,
  tenantStory,
  tenantSuspended,
  tenantUpdated,
} from "./sample-tenants.ts";

const stream = { tenant: "tenant-a", after: 0, limit: 1000 };

export function describeTenants(open: OpenLedger): void {
  test("a tenant's events are chained in a stream of its own, and its row is what a replay of them gives", async () => {
    await using store = await open();
    const { tenants } = store.ledger;
    await tenants.append({ events: [tenantCreated("tenant-a")] });
    for (const event of tenantStory("tenant-a")) await tenants.append({ events: [event] });
    const events = await tenants.readEvents(stream);
    let prevhash: string = genesisHash;
    let replayed: TenantRow | undefined;
    for (const [index, event] of events.entries()) {
      assert.equal(event.sequence, index + 1);
      assert.equal(event.subject, "tenant:tenant-a");
      assert.equal(event.source, "/tenants/tenant-a");
      assert.equal(event.prevhash, prevhash);
      assert.equal(event.hash, eventHash(event));
      prevhash = event.hash;
      replayed = projectTenant(replayed, event);
    }
    assert.equal(events.length, 8);
    const row = await tenants.find("tenant-a");
    assert.deepEqual(row, replayed);
    // Keys, denials and refusals change nothing of the tenant: its version is that of the resumption.
    assert.deepEqual([row?.version, row?.last_seq, row?.status, row?.settings.quotas.streams], [7, 8, "active", 7]);
  });

  test("sessions and tenants stand in one order of commits, with the same bytes, and neither stream shows the other", async () => {
    await using store = await open();
    const { ledger } = store;
    await ledger.tenants.append({ events: [tenantCreated("tenant-a")] });
    await ledger.openSession(openingOf({ tenant: "tenant-a", session_id: "sess-1" }));
    await ledger.tenants.append({ events: [tenantSuspended("tenant-a")] });
    const tail = await ledger.tail({ afterPosition: 0, limit: 10 });
    assert.deepEqual(
      tail.map(({ position, event }) => [position, event.subject, event.sequence]),
      [
        [1, "tenant:tenant-a", 1],
        [2, "sess-1", 1],
        [3, "tenant:tenant-a", 2],
      ],
    );
    const session = { tenant: "tenant-a", sessionId: "sess-1", after: 0, limit: 10 };
    assert.equal((await ledger.readEvents(session)).length, 1);
    assert.equal((await ledger.relay.backlog()).newest, 3);
    const { rows } = await ledger.listSessions({ tenant: "tenant-a", limit: 10 });
    assert.equal(rows.length, 1);
    assert.deepEqual(await ledger.tenants.readEvents({ ...stream, tenant: "tenant-b" }), []);
  });

  test("listeners hear of a tenant's event, too", async () => {
    await using store = await open();
    let heard = 0;
    store.ledger.onAppend(() => (heard += 1));
    await store.ledger.tenants.append({ events: [tenantCreated("tenant-a")] });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard, 1);
  });

  test("the same event again keeps its place; other words under its key, a second creation and an unknown tenant are refused", async () => {
    await using store = await open();
    const { tenants } = store.ledger;
    await assert.rejects(tenants.append({ events: [tenantSuspended("tenant-a")] }), code("TENANT_NOT_FOUND"));
    await tenants.append({ events: [tenantCreated("tenant-a")] });
    assert.equal((await tenants.append({ events: [tenantCreated("tenant-a")] })).duplicate, true);
    const other = tenantCreated("tenant-a", { streams: 1 });
    await assert.rejects(tenants.append({ events: [other] }), code("TENANT_ID_TAKEN"));
    await assert.rejects(tenants.append({ events: [{ ...other, key: "again" }] }), code("TENANT_ID_TAKEN"));
    await tenants.append({ events: [accessRefused("tenant-a", "report-1")] });
    assert.equal((await tenants.append({ events: [accessRefused("tenant-a", "report-1")] })).duplicate, true);
    await assert.rejects(
      tenants.append({ events: [accessRefused("tenant-a", "report-1", 4)] }),
      code("EVENT_CONFLICT"),
    );
    const both = [accessRefused("tenant-a", "report-2"), accessRefused("tenant-a", "report-1", 4)];
    await assert.rejects(tenants.append({ events: both }), code("EVENT_CONFLICT"));
    await assert.rejects(tenants.append({ events: [accessRefused("tenant-a", "x", 0)] }), TypeError);
    await assert.rejects(
      tenants.append({ events: [accessRefused("tenant-a", "x"), accessRefused("tenant-b", "x")] }),
      TypeError,
    );
    assert.equal(await store.ledger.lastPosition(), 2);
  });

  test("50 changes at once from two handles leave the chain whole; of those made for one version, one wins", async () => {
    await using store = await open();
    const other = await store.reopen();
    await store.ledger.tenants.append({ events: [tenantCreated("tenant-a")] });
    const handle = (index: number) => (index % 2 === 0 ? store.ledger : other).tenants;
    const changes = Array.from({ length: 50 }, (_, index) =>
      handle(index).append({ events: [tenantUpdated("tenant-a", `update-${index}`, { streams: index })] }),
    );
    await Promise.all(changes);
    const events = await other.tenants.readEvents(stream);
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      Array.from({ length: 51 }, (_, index) => index + 1),
    );
    const versioned = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        handle(index).append({
          version: 51,
          events: [tenantUpdated("tenant-a", `versioned-${index}`, { streams: index })],
        }),
      ),
    );
    const refused = versioned.filter((outcome) => outcome.status === "rejected");
    assert.equal(refused.length, 9);
    for (const { reason } of refused) assert.ok(code("TENANT_CHANGED")(reason));
  });

  test("a key gives what the first request with it came to, also after further changes; another request is refused", async () => {
    let now = Date.parse("2026-03-01T00:00:00Z");
    await using store = await open({ now: () => new Date(now) });
    const { tenants } = store.ledger;
    const change = { key: "key-1", requestDigest: sha256("request") };
    await tenants.append({ events: [tenantCreated("tenant-a")] });
    const first = await tenants.append({ events: [tenantUpdated("tenant-a", "u-1", { streams: 1 })], change });
    await tenants.append({ events: [tenantUpdated("tenant-a", "u-2", { streams: 2 })] });
    const again = await tenants.append({ events: [tenantUpdated("tenant-a", "u-3", { streams: 1 })], change });
    assert.deepEqual(again, { row: first.row, duplicate: true });
    await assert.rejects(
      tenants.append({
        events: [tenantUpdated("tenant-a", "u-4", {})],
        change: { ...change, requestDigest: sha256("other") },
      }),
      code("IDEMPOTENCY_KEY_REUSED"),
    );
    now += 86_400_000;
    const later = await tenants.append({ events: [tenantUpdated("tenant-a", "u-3", { streams: 1 })], change });
    assert.equal(later.duplicate, false);
    assert.equal((await tenants.find("tenant-a"))?.last_seq, 4);
  });

  test("of 50 starts at once on a quota of 10, exactly 10 are let in, over two handles; an end makes room for one", async () => {
    await using store = await open();
    const other = await store.reopen();
    const admission = { created: tenantFound("tenant-a", { running_sessions: 10 }), enforced: true };
    const start = (index: number) =>
      (index % 2 === 0 ? store.ledger : other).openSession({
        ...openingOf({ tenant: "tenant-a", session_id: `sess-${index}` }),
        admission,
      });
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => start(index)));
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    for (const { reason } of refused) assert.ok(code("QUOTA_EXCEEDED")(reason), String(reason));
    assert.equal(refused.length, 40);
    const day = { tenant: "tenant-a", day: "2026-03-01" };
    assert.equal((await store.ledger.tenants.usage(day)).running_sessions, 10);
    // The tenant came to exist with the first of them, once.
    assert.equal((await store.ledger.tenants.readEvents(stream)).length, 1);
    const [running] = (await store.ledger.listSessions({ tenant: "tenant-a", limit: 1 })).rows;
    assert.ok(running);
    // What is there is no new session, whatever the quota.
    const again = openingOf({ tenant: "tenant-a", session_id: running.session_id });
    assert.equal((await other.openSession({ ...again, admission })).duplicate, true);
    await store.ledger.append([...stepEvents(running, "step-1"), completedEvent(running)]);
    assert.equal((await start(50)).duplicate, false);
    await assert.rejects(start(51), code("QUOTA_EXCEEDED"));
    // Another tenant has its own.
    const theirs = openingOf({ tenant: "tenant-b", session_id: "sess-b" });
    await other.openSession({ ...theirs, admission: { created: tenantFound("tenant-b"), enforced: true } });
  });

  test("a suspended tenant starts nothing, and a session that a workflow brings is only counted", async () => {
    await using store = await open();
    const { ledger } = store;
    const created = tenantFound("tenant-a");
    await ledger.tenants.append({ events: [created, tenantSuspended("tenant-a")] });
    const opening = openingOf({ tenant: "tenant-a", session_id: "sess-1" });
    await assert.rejects(
      ledger.openSession({ ...opening, admission: { created, enforced: true } }),
      code("TENANT_SUSPENDED"),
    );
    assert.equal(await ledger.findSession({ tenant: "tenant-a", sessionId: "sess-1" }), undefined);
    await ledger.openSession({ ...opening, admission: { created, enforced: false } });
    assert.equal((await ledger.tenants.usage({ tenant: "tenant-a", day: "2026-03-01" })).running_sessions, 1);
    await ledger.tenants.append({ events: [tenantResumed("tenant-a")] });
    const next = openingOf({ tenant: "tenant-a", session_id: "sess-2" });
    await ledger.openSession({ ...next, admission: { created, enforced: true } });
  });

  test("tokens count on the day of their outcome, once however often it is said, and a used-up day starts nothing", async () => {
    let now = Date.parse("2026-03-01T23:59:59Z");
    await using store = await open({ now: () => new Date(now) });
    const { ledger } = store;
    const admission = { created: tenantFound("tenant-a", { tokens_per_day: 16 }), enforced: true };
    const start = (session_id: string) =>
      ledger.openSession({ ...openingOf({ tenant: "tenant-a", session_id }), admission });
    await Promise.all(["sess-1", "sess-2", "sess-3"].map(start));
    const tokensOn = async (day: string, tenant = "tenant-a") =>
      (await ledger.tenants.useOn({ tenant, day })).spent.tokens;
    const spend = (session_id: string) => ledger.append(stepEvents({ tenant: "tenant-a", session_id }, "step-1"));
    await spend("sess-1");
    await spend("sess-1");
    assert.equal(await tokensOn("2026-03-01"), 8);
    await start("sess-4");
    await Promise.all([spend("sess-2"), spend("sess-4")]);
    assert.equal(await tokensOn("2026-03-01"), 24);
    assert.deepEqual(await ledger.tenants.usage({ tenant: "tenant-a", day: "2026-03-01" }), {
      running_sessions: 4,
      tokens_today: 24,
    });
    await assert.rejects(start("sess-5"), code("QUOTA_EXCEEDED"));
    now += 1000;
    await start("sess-5");
    await spend("sess-3");
    assert.deepEqual([await tokensOn("2026-03-01"), await tokensOn("2026-03-02")], [24, 8]);
    assert.equal(await tokensOn("2026-03-01", "tenant-b"), 0);
  });

  test("what identity has not heard of is found until it is acknowledged; what the service made itself is no news", async () => {
    await using store = await open();
    const { tenants } = store.ledger;
    const names = async (after = ""): Promise<string[]> =>
      (await tenants.unannounced({ after, limit: 2 })).map(({ tenant }) => tenant);
    await tenants.append({ events: [tenantFound("tenant-c")] });
    for (const tenant of ["tenant-a", "tenant-b", "tenant-d"])
      await tenants.append({ events: [tenantCreated(tenant)] });
    assert.deepEqual([await names(), await names("tenant-b")], [["tenant-a", "tenant-b"], ["tenant-d"]]);
    await tenants.acknowledge({ tenant: "tenant-a", version: 1 });
    await tenants.acknowledge({ tenant: "tenant-d", version: 1 });
    await tenants.append({ events: [accessRefused("tenant-a", "report-1")] });
    assert.deepEqual(await names(), ["tenant-b"]);
    await tenants.append({ events: [tenantSuspended("tenant-a")] });
    await tenants.append({ events: [tenantSuspended("tenant-c")] });
    await tenants.acknowledge({ tenant: "tenant-b", version: 1 });
    await tenants.acknowledge({ tenant: "tenant-b", version: 0 });
    assert.deepEqual(await names(), ["tenant-a", "tenant-c"]);
    const all = await tenants.list({ after: "tenant-a", limit: 2 });
    assert.deepEqual(
      all.map(({ tenant }) => tenant),
      ["tenant-b", "tenant-c"],
    );
  });

  test("past the ledger, too: no event without a stream, none in another's, and no tenant goes", async () => {
    await using store = await open();
    await store.ledger.tenants.append({ events: [tenantCreated("tenant-a")] });
    const table = (await isPostgres(store)) ? "soma.events" : "events";
    const insert = (subject: string, tenant: string): string =>
      `INSERT INTO ${table} (id, tenant, session_id, seq, json) VALUES ('x', '${tenant}', '${subject}', 1, '{}')`;
    for (const [subject, tenant] of [
      ["sess-nobody", "tenant-a"],
      ["tenant:tenant-b", "tenant-b"],
      ["tenant:tenant-b", "tenant-a"],
    ] as const)
      await assert.rejects(store.sql(insert(subject, tenant)), /no session and no tenant has this stream/);
    await assert.rejects(store.sql(`DELETE FROM ${table.replace("events", "tenants")}`), /append-only/);
    assert.equal(await store.ledger.lastPosition(), 1);
  });
}

async function isPostgres(store: { sql(statement: string): Promise<unknown> }): Promise<boolean> {
  return store.sql("SELECT 1 FROM soma.events").then(
    () => true,
    () => false,
  );
}
