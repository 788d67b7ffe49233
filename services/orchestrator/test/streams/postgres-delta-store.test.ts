import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { DeltaStore } from "../../src/streams/delta-store.ts";
import { openPostgresDeltaStore } from "../../src/streams/postgres-delta-store.ts";
import { postgresMissing, startPostgresServer, type PostgresServer } from "../ledger/postgres-server.ts";
import { openFreshLedger } from "../ledger/postgres-store.ts";
import { describeDeltaStore } from "./delta-store-suite.ts";

describe("running texts in PostgreSQL", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgresServer();
  });
  after(() => server[Symbol.asyncDispose]());

  const open = async () => {
    const ledger = await openFreshLedger(server);
    const opened: DeltaStore[] = [];
    const reopen = async (): Promise<DeltaStore> => {
      const store = openPostgresDeltaStore(ledger.url);
      opened.push(store);
      return store;
    };
    return {
      ledger,
      store: await reopen(),
      reopen,
      async [Symbol.asyncDispose]() {
        for (const store of opened) await store.close();
        await ledger[Symbol.asyncDispose]();
      },
    };
  };
  describeDeltaStore("one suite for any store", open);

  test("the table is not logged, and shows a tenant the rows of its own only", async () => {
    await using world = await open();
    const [table] = await world.ledger.sql("SELECT relpersistence FROM pg_class WHERE oid = 'soma.deltas'::regclass");
    assert.equal(table?.["relpersistence"], "u");
    const [guard] = await world.ledger.sql(
      "SELECT relrowsecurity AND relforcerowsecurity AS guarded FROM pg_class WHERE oid = 'soma.deltas'::regclass",
    );
    assert.equal(guard?.["guarded"], true);
  });
});
