import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { DomainError } from "@soma/kit/domain-error";
import { Client } from "pg";
import { verify } from "../../../../scripts/soma-verify.ts";
import { sealEvent } from "../../src/ledger/event-chain.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { PostgresDatabase } from "../../src/ledger/postgres-database.ts";
import { openPostgresLedger } from "../../src/ledger/postgres-ledger.ts";
import { killSixWorkers } from "./killed-workers.ts";
import { killSixteenWriters } from "./killed-writers.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { postgresMissing, startPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { openFreshLedger } from "./postgres-store.ts";
import { code } from "./refusal.ts";
import { openingOf, unavailableEvent } from "./sample-events.ts";
import { runWriter } from "./writer-process.ts";

const subject = { tenant: "tenant-a", session_id: "sess-1" };
const key = { tenant: "tenant-a", sessionId: "sess-1" };

/** The ids of a session's events, the chain checked by the verifier that outsiders use. */
async function verifiedIds(ledger: Ledger, session: typeof key): Promise<readonly string[]> {
  const events = await ledger.readEvents({ ...session, after: 0, limit: 1_000_000 });
  assert.deepEqual(verify(JSON.stringify(events)).violations, []);
  assert.equal((await ledger.findSession(session))?.last_seq, events.length);
  return events.map(({ id }) => id);
}

describe("faults of the ledger in PostgreSQL", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgresServer();
  });
  after(() => server[Symbol.asyncDispose]());

  /** A transaction of somebody else, outside the ledger's code. */
  async function strangerOf(database: string): Promise<Client> {
    const client = new Client({ connectionString: server.urlOf(database) });
    client.on("error", () => undefined);
    await client.connect();
    await client.query("BEGIN; SELECT set_config('soma.tenant', 'tenant-a', true)");
    return client;
  }

  test("a tail does not skip a slow transaction that took its position first and commits last", async () => {
    await using store = await openFreshLedger(server);
    const { ledger } = store;
    const other = { ...subject, session_id: "sess-2" };
    await ledger.openSession(openingOf(subject));
    await ledger.openSession(openingOf(other));
    const [created] = await ledger.readEvents({ ...key, after: 0, limit: 1 });
    assert.ok(created);
    const place = { sequence: 2, prevhash: created.hash, time: new Date().toISOString() };
    const slow = sealEvent(unavailableEvent(subject, "slow"), place);
    const stranger = await strangerOf(store.database);
    await stranger.query("INSERT INTO soma.events (id, tenant, session_id, seq, json) VALUES ($1, $2, $3, 2, $4)", [
      slow.event.id,
      "tenant-a",
      "sess-1",
      slow.json,
    ]);
    const fast = ledger.append([unavailableEvent(other, "fast")]);
    // Long enough for the fast one to commit, if it could.
    await Promise.race([fast, setTimeout(400)]);
    const seen: string[] = [];
    let afterPosition = 2;
    const follow = async (): Promise<void> => {
      for (const { position, event } of await ledger.tail({ afterPosition, limit: 10 })) {
        afterPosition = position;
        seen.push(event.eventkey);
      }
    };
    await follow();
    await stranger.query("COMMIT");
    await stranger.end();
    await fast;
    await follow();
    assert.deepEqual(seen, ["slow", "fast"]);
    assert.equal(await ledger.lastPosition(), 4);
  });

  test("a position of a transaction that is rolled back is given again: no gap", async () => {
    await using store = await openFreshLedger(server);
    const database = new PostgresDatabase({ url: store.url, maxConnections: 1, timeoutMs: 3000 });
    await store.ledger.openSession(openingOf(subject));
    const insert =
      "INSERT INTO soma.events (id, tenant, session_id, seq, json) VALUES ('x', 'tenant-a', 'sess-1', 2, '{}')";
    await assert.rejects(
      database.write("tenant-a", async (query) => {
        await query(insert);
        throw new RangeError("own");
      }),
      RangeError,
    );
    await store.ledger.append([unavailableEvent(subject, "a")]);
    assert.deepEqual(
      (await store.ledger.tail({ afterPosition: 0, limit: 10 })).map(({ position }) => position),
      [1, 2],
    );
    await database.close();
  });

  test("a lock that another holds is waited for, and is AUDIT_UNAVAILABLE in time when it stays", async () => {
    await using store = await openFreshLedger(server, { timeoutMs: 400 });
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const stranger = await strangerOf(store.database);
    await stranger.query("SELECT 1 FROM soma.sessions WHERE session_id = 'sess-1' FOR UPDATE");
    const began = performance.now();
    await assert.rejects(ledger.append([unavailableEvent(subject, "a")]), code("AUDIT_UNAVAILABLE"));
    assert.ok(performance.now() - began < 2000);
    assert.equal((await ledger.findSession(key))?.last_seq, 1, "readers do not wait for a writer");
    const waiting = ledger.append([unavailableEvent(subject, "a")]);
    await setTimeout(100);
    await stranger.end();
    assert.equal((await waiting)[0]?.event.sequence, 2);
  });

  test("a server that takes connections and says nothing is AUDIT_UNAVAILABLE in time", async () => {
    const mute = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const address = mute.address();
    assert.ok(address !== null && typeof address === "object");
    const began = performance.now();
    const url = `postgres://soma@127.0.0.1:${address.port}/ledger`;
    await assert.rejects(openPostgresLedger({ url, masterKeys, timeoutMs: 300 }), code("AUDIT_UNAVAILABLE"));
    assert.ok(performance.now() - began < 2000);
    mute.close();
  });

  test("work that hangs in a transaction is cut off, and its connection is not used again", async () => {
    const url = server.urlOf(await server.createDatabase());
    const database = new PostgresDatabase({ url, maxConnections: 1, timeoutMs: 300 });
    await assert.rejects(
      database.withoutTenant((query) => query("SELECT pg_sleep(30)")),
      code("AUDIT_UNAVAILABLE"),
    );
    assert.deepEqual(await database.withoutTenant((query) => query("SELECT 1 AS one")), [{ one: 1 }]);
    await database.close();
  });

  test("more calls than may be under way are refused at once", async () => {
    await using store = await openFreshLedger(server, { maxWaiting: 3 });
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    const outcomes = await Promise.allSettled(
      ["a", "b", "c", "d", "e"].map((name) => ledger.append([unavailableEvent(subject, name)])),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
    );
    const last = outcomes.at(-1);
    assert.ok(last?.status === "rejected" && code("AUDIT_UNAVAILABLE")(last.reason));
  });

  test("kill -9 of a writer loses nothing that was acknowledged and leaves the chain whole", async (context) => {
    await using store = await openFreshLedger(server);
    for (let round = 0; round < 3; round += 1) {
      const killAfterMs = Math.floor(Math.random() * 200);
      const acknowledged = await runWriter([store.url, "sess-1", `round-${round}`, "0"], killAfterMs);
      context.diagnostic(`killed after ${killAfterMs} ms with ${acknowledged.size} acknowledged`);
      const ids = await verifiedIds(store.ledger, key);
      assert.ok(acknowledged.size > 0);
      for (const [sequence, id] of acknowledged) assert.equal(ids[sequence - 1], id);
    }
  });

  test("sixteen processes that append and are killed at random lose nothing that was acknowledged", async (context) => {
    await using store = await openFreshLedger(server);
    await killSixteenWriters(context, store.url, () => store.reopen());
  });

  test("workers that are killed between intent and outcome: of budget and day nothing leaks and nothing is spent twice", async (context) => {
    await using store = await openFreshLedger(server, { timeoutMs: 20_000 });
    await killSixWorkers(context, store.url, () => store.reopen());
  });

  test("idle connections that end with the server end nothing else, and the next call after its return works", async () => {
    await using store = await openFreshLedger(server);
    const { ledger } = store;
    await ledger.openSession(openingOf(subject));
    await Promise.all(Array.from({ length: 8 }, () => ledger.findSession(key)));
    await server.stopImmediately();
    await setTimeout(50);
    await assert.rejects(ledger.findSession(key), code("AUDIT_UNAVAILABLE"));
    await server.start();
    assert.equal((await ledger.append([unavailableEvent(subject, "a")]))[0]?.event.sequence, 2);
  });

  test("an immediate stop and a start among 16 writers: nothing acknowledged is lost, chains and tail are whole", async (context) => {
    await using store = await openFreshLedger(server, { timeoutMs: 2000 });
    const ledgers = [store.ledger, await store.reopen()];
    const sessions = ["s-0", "s-1", "s-2", "s-3"].map((session_id) => ({ tenant: "tenant-a", session_id }));
    for (const session of sessions) await store.ledger.openSession(openingOf(session));
    const acknowledged = new Map<string, { session: string; sequence: number }>();
    let refused = 0;
    const writersStop = new AbortController();
    const write = async (writer: number): Promise<void> => {
      const session = sessions[writer % sessions.length] ?? subject;
      const ledger = ledgers[writer % ledgers.length] ?? store.ledger;
      for (let count = 0; !writersStop.signal.aborted;) {
        try {
          const [appended] = await ledger.append([unavailableEvent(session, `writer-${writer}/${count}`)]);
          assert.ok(appended);
          acknowledged.set(appended.event.id, { session: session.session_id, sequence: appended.event.sequence });
          count += 1;
        } catch (error) {
          // The outcome is unknown: the same event again is safe.
          assert.ok(error instanceof DomainError && error.code === "AUDIT_UNAVAILABLE", String(error));
          refused += 1;
          await setTimeout(20);
        }
      }
    };
    const seen: string[] = [];
    let afterPosition = 0;
    const follow = async (): Promise<void> => {
      for (const { position, event } of await store.ledger.tail({ afterPosition, limit: 200 })) {
        afterPosition = position;
        seen.push(event.id);
      }
    };
    const followUntilEnd = async (): Promise<void> => {
      while (!writersStop.signal.aborted) await follow().catch(() => setTimeout(10));
    };
    const writing = Promise.all([...Array.from({ length: 16 }, (_, writer) => write(writer)), followUntilEnd()]);
    for (let round = 0; round < 2; round += 1) {
      await setTimeout(400);
      await server.stopImmediately();
      await assert.rejects(store.ledger.checkWritable(), code("AUDIT_UNAVAILABLE"));
      await server.start();
      await store.ledger.checkWritable();
    }
    const untilStart = acknowledged.size;
    await setTimeout(400);
    writersStop.abort();
    await writing;
    assert.ok(acknowledged.size > untilStart, "writers went on after the last start");
    assert.ok(refused > 0, "no fault fired");
    context.diagnostic(`${acknowledged.size} acknowledged, ${refused} refused`);
    const ids = new Map<string, readonly string[]>();
    for (const { session_id } of sessions) {
      ids.set(session_id, await verifiedIds(store.ledger, { tenant: "tenant-a", sessionId: session_id }));
    }
    for (const [id, { session, sequence }] of acknowledged) assert.equal(ids.get(session)?.[sequence - 1], id);
    while (afterPosition < (await store.ledger.lastPosition())) await follow();
    assert.equal(seen.length, afterPosition, "positions have no gap");
    assert.deepEqual(new Set(seen), new Set([...ids.values()].flat()));
    assert.equal(new Set(seen).size, seen.length);
  });
});
