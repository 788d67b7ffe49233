import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { masterKeys } from "../../services/orchestrator/test/harness/master-keys.ts";
import { openSqliteDeltaStore } from "../../services/orchestrator/src/streams/sqlite-delta-store.ts";
import { openSqliteLedger } from "../../services/orchestrator/src/ledger/sqlite-ledger.ts";

/** Column, type, and `?` where it may be NULL. */
const tables = {
  dead_letters: ["position INTEGER?", "event_id TEXT", "bytes INTEGER"],
  content_encryption: ["id INTEGER?", "master_key_id TEXT?", "plain_gone_at TEXT?"],
  content_keys: [
    "key_id TEXT",
    "tenant TEXT",
    "user_id TEXT",
    "generation INTEGER",
    "master_key_id TEXT?",
    "wrapped BLOB?",
    "created_at TEXT",
    "destroyed_at TEXT?",
  ],
  content_names: ["session_id TEXT", "digest TEXT", "tenant TEXT", "user_id TEXT"],
  contents: ["tenant TEXT", "user_id TEXT", "digest TEXT", "media_type TEXT", "key_id TEXT", "sealed BLOB"],
  events: ["position INTEGER?", "id TEXT", "tenant TEXT", "session_id TEXT", "seq INTEGER", "json TEXT"],
  idempotency: ["tenant TEXT", "key TEXT", "request_digest TEXT", "session_id TEXT", "created_at TEXT"],
  kept_answers: ["tenant TEXT", "key TEXT", "request_digest TEXT", "answer TEXT?", "created_at TEXT"],
  plain_contents: ["tenant TEXT", "digest TEXT", "media_type TEXT", "bytes BLOB"],
  readiness: ["id INTEGER?", "checked_at TEXT"],
  relay: ["id INTEGER?", "holder TEXT?", "token INTEGER", "expires_at INTEGER", "cursor INTEGER"],
  schema_migrations: ["version INTEGER?", "name TEXT", "checksum TEXT", "applied_at TEXT"],
  session_labels: ["session_id TEXT", "label TEXT"],
  sessions: [
    "ordinal INTEGER?",
    "session_id TEXT",
    "tenant TEXT",
    "user_id TEXT",
    "capsule TEXT?",
    "status TEXT",
    "created_at TEXT",
    "workflow_id TEXT",
    "run_id TEXT?",
    "last_seq INTEGER",
    "last_hash TEXT",
    "projection TEXT",
    "ended_at TEXT?",
    "cut_to INTEGER?",
    "cut_hash TEXT?",
  ],
  tenant_changes: ["tenant TEXT", "key TEXT", "request_digest TEXT", "projection TEXT", "created_at TEXT"],
  tenant_reservations: [
    "tenant TEXT",
    "effect_key TEXT",
    "session_id TEXT",
    "day TEXT",
    "tokens INTEGER",
    "cost_micros INTEGER",
  ],
  tenant_usage: [
    "tenant TEXT",
    "day TEXT",
    "tokens INTEGER",
    "cost_micros INTEGER",
    "reserved_tokens INTEGER",
    "reserved_cost_micros INTEGER",
  ],
  tenants: [
    "tenant TEXT",
    "status TEXT",
    "version INTEGER",
    "announced_version INTEGER",
    "last_seq INTEGER",
    "last_hash TEXT",
    "projection TEXT",
  ],
};

test("a migrated ledger has these tables, columns and guards, and no others", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "soma-pins-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "ledger.sqlite");
  await (await openSqliteLedger({ file, masterKeys })).close();
  using database = new DatabaseSync(file, { readOnly: true });
  const namesOf = (type: string): string[] =>
    database
      .prepare("SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite_%' ORDER BY name")
      .all(type)
      .map(({ name }) => String(name));
  const columnsOf = (table: string): string[] =>
    database
      .prepare('SELECT name, type, "notnull" AS required FROM pragma_table_info(?) ORDER BY cid')
      .all(table)
      .map(({ name, type, required }) => `${String(name)} ${String(type)}${required === 1 ? "" : "?"}`);
  assert.deepEqual(Object.fromEntries(namesOf("table").map((table) => [table, columnsOf(table)])), tables);
  assert.deepEqual(namesOf("trigger"), [
    "content_keys_stay_destroyed",
    "contents_have_a_key",
    "events_follow_each_other",
    "events_have_their_stream",
    "events_never_change",
    "events_never_go",
    "relay_never_goes_back",
    "sessions_are_cut_once",
    "sessions_never_go",
    "sessions_say_when_they_ended",
    "sessions_stay_ended",
    "tenants_never_go",
  ]);
  assert.deepEqual(namesOf("view"), []);
  const applied = database.prepare("SELECT version, name FROM schema_migrations ORDER BY version").all();
  assert.deepEqual(
    applied.map(({ version, name }) => [version, name]),
    [
      [1, "0001-ledger.sql"],
      [2, "0002-unended-sessions.sql"],
      [3, "0003-relay.sql"],
      [4, "0004-content-keys.sql"],
      [5, "0005-tenants.sql"],
      [6, "0006-ends-of-texts.sql"],
      [7, "0007-tenant-reservations.sql"],
      [8, "0008-deltas.sql"],
    ],
  );
});

test("the running texts are in a file of their own, in one table", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "soma-pins-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "deltas.sqlite");
  void openSqliteDeltaStore(file).close();
  using database = new DatabaseSync(file, { readOnly: true });
  const columns = database
    .prepare("SELECT name, type FROM pragma_table_info('deltas') ORDER BY cid")
    .all()
    .map(({ name, type }) => `${String(name)} ${String(type)}`);
  assert.deepEqual(columns, [
    "position INTEGER",
    "tenant TEXT",
    "user_id TEXT",
    "session_id TEXT",
    "step TEXT",
    "attempt INTEGER",
    "start_unit INTEGER",
    "writer TEXT",
    "key_id TEXT",
    "sealed BLOB",
    "added_at INTEGER",
  ]);
});
