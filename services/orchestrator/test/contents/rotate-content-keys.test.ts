import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { sha256 } from "@soma/kit/digest";
import { loadMasterKeys } from "../../src/contents/master-keys.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite-ledger.ts";
import { openingOf } from "../ledger/sample-events.ts";
import { temporaryFolder } from "../ledger/sqlite-store.ts";

const program = fileURLToPath(new URL("../../src/rotate-content-keys.ts", import.meta.url));

function rotate(dataDir: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const options = { env: { DATA_DIR: dataDir, ...env }, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options);
  return { status, stdout, stderr };
}

test("the key file is made at the first start, for its owner alone, and a rotation moves the ledger to a new first key", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/keys/content-master.key`;
  const file = `${folder.path}/ledger.sqlite`;
  const source = { variable: "CONTENT_MASTER_KEY_FILE", path } as const;
  const ledger = await openSqliteLedger({ file, masterKeys: loadMasterKeys(source) });
  await ledger.openSession(openingOf({ tenant: "tenant-a", session_id: "sess-1" }, "hello"));
  await ledger.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);

  const old = readFileSync(path, "utf8");
  const fresh = randomBytes(32).toString("base64");
  writeFileSync(path, `${fresh}\n`);
  const refused = rotate(folder.path);
  assert.equal(refused.status, 78);
  assert.match(refused.stderr, /^CONTENT_MASTER_KEY_FILE lacks the master key mk_[0-9a-f]{16}[^\n]*\n$/);

  writeFileSync(path, `${fresh}\n${old}`);
  const moved = rotate(folder.path, ["--new-keys"]);
  assert.equal(moved.stderr, "");
  assert.match(
    moved.stdout,
    /^1 content keys were wrapped anew and 1 made; the master key mk_[0-9a-f]{16} opens them all\n$/,
  );
  assert.ok(!moved.stdout.includes(fresh));

  // From the environment, which wins over the file; the file then is not even read.
  chmodSync(path, 0o644);
  const again = rotate(folder.path, [], { CONTENT_MASTER_KEY: fresh });
  assert.match(again.stdout, /^0 content keys were wrapped anew and 0 made/);
  const open = rotate(folder.path);
  assert.equal(open.status, 78);
  assert.match(open.stderr, /^CONTENT_MASTER_KEY_FILE: .*can be read by others \(mode 644\)/);
  chmodSync(path, 0o600);

  const after = await openSqliteLedger({ file, masterKeys: loadMasterKeys(source) });
  const bytes = await after.readContent({ tenant: "tenant-a", user: "user-1", digest: sha256("hello") });
  assert.equal(Buffer.from(bytes ?? []).toString(), "hello");
  await after.close();
});

test("a setting that holds no key stops the start with one line that does not show it", () => {
  for (const value of [
    "short",
    Buffer.alloc(31).toString("base64"),
    `${Buffer.alloc(32).toString("base64")},oops`,
    ",",
  ]) {
    const { status, stderr } = rotate("/nowhere", [], { CONTENT_MASTER_KEY: value });
    assert.equal(status, 78);
    assert.match(stderr, /^CONTENT_MASTER_KEY is <hidden>; accepted: 32 random bytes in base64[^\n]*\n$/);
  }
});
