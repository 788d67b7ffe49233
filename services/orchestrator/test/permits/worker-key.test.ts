import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deriveWorkerKeys, loadWorkerKeys } from "../../src/permits/worker-key.ts";
import { temporaryFolder } from "../ledger/sqlite-store.ts";

test("the key is made at the first start, owner-only, and all workers that read it derive the same", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "keys", "worker.key");
  const first = loadWorkerKeys(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path).length, 32);
  assert.deepEqual(loadWorkerKeys(path), first);
  const other = loadWorkerKeys(join(folder.path, "other.key"));
  assert.notDeepEqual(other.permit, first.permit);
});

test("each use has a key of its own, and neither is the file's", () => {
  const key = Buffer.alloc(32, 7);
  const { permit, seal } = deriveWorkerKeys(key);
  assert.equal(permit.length, 32);
  assert.equal(seal.length, 32);
  assert.notDeepEqual(permit, seal);
  assert.notDeepEqual(permit, key);
  assert.notDeepEqual(seal, key);
});

test("what is derived does not drift: a permit of today's worker is checked by tomorrow's", () => {
  const { permit, seal } = deriveWorkerKeys(Buffer.from("0123456789abcdef0123456789abcdef"));
  // HKDF-SHA-256 (RFC 5869), no salt, info "soma/<use>/v1"; computed apart from our code, by RFC 2104 alone.
  assert.equal(permit.toString("hex"), "dfd94f8f3568489b2973f1f3e7a632e7c96b9c0ff161514cb94e50b170e6a37f");
  assert.equal(seal.toString("hex"), "226277c6a897b7153e7cb6e4820f28785d6b5c4c86bf60ea15df9fc39422e833");
});

test("a key that is too short is refused, one that is longer is taken whole", () => {
  for (const length of [0, 1, 16, 31])
    assert.throws(() => deriveWorkerKeys(Buffer.alloc(length, 1)), /at least 32 bytes/);
  assert.notDeepEqual(deriveWorkerKeys(Buffer.alloc(33, 1)), deriveWorkerKeys(Buffer.alloc(32, 1)));
});

test("a key file that others can read, or that is too short, stops the worker", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "worker.key");
  writeFileSync(path, Buffer.alloc(32, 1), { mode: 0o600 });
  chmodSync(path, 0o640);
  assert.throws(() => loadWorkerKeys(path), /can be read by others/);
  writeFileSync(path, "short");
  chmodSync(path, 0o600);
  assert.throws(() => loadWorkerKeys(path), /at least 32 bytes/);
});
