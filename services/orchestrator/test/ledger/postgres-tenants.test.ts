import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { sha256 } from "@soma/kit/digest";
import { PostgresDatabase, type Query } from "../../src/ledger/postgres-database.ts";
import { openPostgresLedger } from "../../src/ledger/postgres-ledger.ts";
import { masterKeys } from "../harness/master-keys.ts";
import { postgresMissing, startPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { openFreshLedger, type PostgresLedgerUnderTest } from "./postgres-store.ts";
import { openingOf, unavailableEvent, writer } from "./sample-events.ts";

const ofA = { tenant: "tenant-a", session_id: "sess-a" };
const ofB = { tenant: "tenant-b", session_id: "sess-b" };
const tenantTables = ["content_keys", "contents", "events", "idempotency", "session_labels", "sessions"];

const count = async (query: Query, table: string): Promise<unknown> =>
  (await query(`SELECT count(*)::integer AS rows FROM soma.${table}`))[0]?.["rows"];

const show = async (query: Query, name: string): Promise<unknown> =>
  (await query(`SELECT current_setting('${name}') AS value`))[0]?.["value"];

const copy = (position: string, id: string, seq: string): string =>
  `INSERT INTO soma.events SELECT ${position}, ${id}, tenant, session_id, ${seq}, json FROM soma.events WHERE seq = 2`;

describe("walls of the ledger in PostgreSQL", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  let store: PostgresLedgerUnderTest;
  let database: PostgresDatabase;
  before(async () => {
    server = await startPostgresServer();
    store = await openFreshLedger(server);
    const { ledger, url } = store;
    database = new PostgresDatabase({ url, maxConnections: 2, timeoutMs: 3000 });
    for (const subject of [ofA, ofB]) {
      const idempotency = { key: "key", requestDigest: sha256("x") };
      await ledger.openSession({ ...openingOf(subject, "hello", ["red"]), idempotency });
      await ledger.append([unavailableEvent(subject, "outage")]);
    }
  });
  after(async () => {
    await database.close();
    await store[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test("a query without a tenant sees no rows, one with a tenant sees that tenant's only", async () => {
    for (const table of tenantTables) {
      assert.equal(await database.withoutTenant((query) => count(query, table)), 0, table);
      const own = await database.read("tenant-a", (query) => count(query, table));
      assert.equal(own, table === "events" ? 2 : 1, table);
      const foreign = await database.read("tenant-a", (query) =>
        query(`SELECT 1 FROM soma.${table} WHERE tenant = 'tenant-b'`),
      );
      assert.deepEqual(foreign, [], table);
      assert.equal(await database.read("tenant-c", (query) => count(query, table)), 0, table);
    }
  });

  test("every table with a tenant has its policy, and the owner is bound, too", async () => {
    const rows = await database.withoutTenant((query) =>
      query(`SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
          EXISTS (SELECT 1 FROM pg_policies p WHERE p.schemaname = 'soma' AND p.tablename = c.relname
            AND p.policyname = 'tenant_alone' AND p.cmd = 'ALL') AS walled
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'soma'::regnamespace AND c.relkind = 'r' AND a.attname = 'tenant' ORDER BY 1`),
    );
    assert.deepEqual(
      rows,
      [
        ...tenantTables,
        "content_names",
        "deltas",
        "kept_answers",
        "plain_contents",
        "tenant_changes",
        "tenant_reservations",
        "tenant_usage",
        "tenants",
      ]
        .toSorted()
        .map((name) => ({ name, forced: true, walled: true })),
    );
  });

  test("a row of another tenant can be neither written nor changed", async () => {
    const insert = "INSERT INTO soma.contents VALUES ('tenant-b', 'user-1', 'sha256:0', 'text/plain', 'ck_0', '')";
    await assert.rejects(
      database.write("tenant-a", (query) => query(insert)),
      /row-level security/,
    );
    await assert.rejects(
      database.withoutTenant((query) => query(insert)),
      /row-level security/,
    );
    const changed = await database.write("tenant-a", (query) =>
      query("UPDATE soma.sessions SET run_id = 'stolen' WHERE session_id = 'sess-b' RETURNING 1"),
    );
    assert.deepEqual(changed, []);
  });

  test("the readers of all tenants read what they are for, and nothing is left open behind them", async () => {
    const readers: [string, unknown[]][] = [
      ["SELECT position FROM soma.tail_events(0, 10)", [1, 2, 3, 4].map((position) => ({ position }))],
      ["SELECT soma.last_position() AS position", [{ position: 4 }]],
      [
        "SELECT tenant, keys FROM soma.content_key_holders()",
        ["tenant-a", "tenant-b"].map((tenant) => ({ tenant, keys: 1 })),
      ],
      ["SELECT tenant FROM soma.plain_content_holders()", []],
      ["SELECT soma.tenant_of('sess-b') AS tenant", [{ tenant: "tenant-b" }]],
    ];
    for (const [sql, expected] of readers) {
      await database.withoutTenant(async (query) => {
        assert.deepEqual(await query(sql), expected, sql);
        for (const table of tenantTables) assert.equal(await count(query, table), 0, `${table} after ${sql}`);
      });
    }
    assert.equal((await store.ledger.tail({ afterPosition: 0, limit: 10 })).length, 4);
    assert.equal(await store.ledger.tenantOf("sess-b"), "tenant-b");
    assert.equal(await store.ledger.tenantOf("sess-c"), undefined);
  });

  test("no tenant stays on a connection that the next one gets", async () => {
    const one = new PostgresDatabase({ url: store.url, maxConnections: 1, timeoutMs: 3000 });
    assert.equal(await one.read("tenant-a", (query) => count(query, "events")), 2);
    assert.equal(await one.withoutTenant((query) => count(query, "events")), 0);
    await assert.rejects(
      one.write("tenant-a", (query) => query("SELECT 1 / 0")),
      /zero/,
    );
    assert.equal(await one.withoutTenant((query) => count(query, "events")), 0);
    await one.close();
  });

  test("a tenant's name cannot end the statement that sets it, and a text with U+0000 is nowhere", async () => {
    const name = "x', true); SELECT set_config('soma.tenant', 'tenant-a', true); --";
    assert.equal(await database.read(name, (query) => count(query, "events")), 0);
    const { ledger } = store;
    assert.equal(await ledger.findSession({ tenant: "tenant-a", sessionId: "sess-a\0" }), undefined);
    assert.equal(await ledger.findSession({ tenant: "tenant-a\0", sessionId: "sess-a" }), undefined);
    assert.equal(await ledger.tenantOf("sess-a\0"), undefined);
    assert.deepEqual(await ledger.listSessions({ tenant: "tenant-a", label: "red\0", limit: 1 }), { rows: [] });
  });

  test("the database refuses to change, drop or reorder events, and to reopen a session, also to the superuser", async () => {
    await store.ledger.append([{ ...writer(ofB), type: "session.canceled", key: "session.end", data: {} }]);
    const attempts: [string, RegExp][] = [
      ["UPDATE soma.events SET json = '{}'", /append-only/],
      ["DELETE FROM soma.events WHERE seq = 2", /append-only/],
      ["TRUNCATE soma.events", /append-only/],
      ["TRUNCATE soma.sessions CASCADE", /append-only/],
      ["DELETE FROM soma.sessions", /append-only/],
      [copy("0", "'other'", "4"), /append-only/],
      [copy("0", "'other'", "2"), /append-only|unique/],
      [copy("0", "id", "3"), /append-only|unique/],
      [copy("0", "'other'", "0"), /append-only/],
      [copy("0", "'other'", "-1"), /append-only/],
      ["UPDATE soma.sessions SET status = 'running' WHERE session_id = 'sess-b'", /terminal/],
    ];
    for (const [sql, reason] of attempts) {
      await assert.rejects(server.asSuperuser(store.database, sql), reason, sql);
      if (sql.startsWith("INSERT") || sql.includes("status")) continue;
      await assert.rejects(
        database.write("tenant-a", (query) => query(sql)),
        reason,
        sql,
      );
    }
    assert.equal((await store.ledger.tail({ afterPosition: 0, limit: 10 })).length, 5);
  });

  test("a role that row-level security does not bind is refused, by variable and without the value", async () => {
    const superuser = store.url.replace("//soma@", "//postgres:hunter2@");
    await assert.rejects(openPostgresLedger({ url: superuser, masterKeys }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^DATABASE_URL .*SUPERUSER/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });

  test("commits wait for the disk although the database says otherwise, and the server ends what we leave open", async () => {
    await server.asSuperuser("postgres", `ALTER DATABASE ${store.database} SET synchronous_commit = off`);
    const fresh = new PostgresDatabase({ url: store.url, maxConnections: 1, timeoutMs: 3000 });
    assert.equal(await fresh.write("tenant-a", (query) => show(query, "synchronous_commit")), "on");
    assert.equal(await fresh.withoutTenant((query) => show(query, "synchronous_commit")), "on");
    assert.equal(await fresh.read("tenant-a", (query) => show(query, "synchronous_commit")), "off");
    for (const name of ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]) {
      assert.equal(await fresh.withoutTenant((query) => show(query, name)), "3s", name);
    }
    await fresh.close();
  });
});
