import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { readOrchestratorConfig } from "../src/config.ts";

test("without DATABASE_URL the ledger is SQLite under DATA_DIR", () => {
  const file = "/var/lib/soma/ledger.sqlite";
  assert.deepEqual(readOrchestratorConfig({ DATA_DIR: "/var/lib/soma" }).ledger, {
    store: "sqlite",
    file,
    address: file,
  });
  assert.equal(readOrchestratorConfig({ DATABASE_URL: "" }).ledger.store, "sqlite");
});

test("DATABASE_URL names PostgreSQL, and what is shown of it holds no credentials", () => {
  for (const scheme of ["postgres", "postgresql"]) {
    const url = `${scheme}://soma:hunter2@db.example:6432/ledger?sslmode=verify-full`;
    const address = "db.example:6432/ledger";
    assert.deepEqual(readOrchestratorConfig({ DATABASE_URL: url }).ledger, { store: "postgres", url, address });
  }
  const { address } = readOrchestratorConfig({ DATABASE_URL: "postgres://soma@db.example/ledger" }).ledger;
  assert.equal(address, "db.example:5432/ledger");
});

test("any other DATABASE_URL is refused by name, the value hidden", () => {
  const bad = [
    "mysql://soma:hunter2@db/ledger",
    "hunter2",
    "postgres://",
    "postgres://soma:hunter2@db",
    "postgres:///hunter2",
    "postgres://soma:hunter2@db:99999/ledger",
    "postgres://soma:hunter2@db/ledger#x",
  ];
  for (const value of bad) {
    assert.throws(
      () => readOrchestratorConfig({ DATABASE_URL: value }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /^DATABASE_URL is <hidden>; accepted: postgres:/);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
      value,
    );
  }
});
