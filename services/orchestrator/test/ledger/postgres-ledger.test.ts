import { after, before, describe } from "node:test";
import { describeLedger } from "./ledger-suite.ts";
import { postgresMissing, startPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { openFreshLedger } from "./postgres-store.ts";

describe("ledger in PostgreSQL", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgresServer();
  });
  after(() => server[Symbol.asyncDispose]());
  describeLedger("one suite for any store", (options) => openFreshLedger(server, options));
});
