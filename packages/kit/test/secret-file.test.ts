import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { isNodeError, readOrCreateSecretFile, readSecretFile } from "../src/secret-file.ts";

const program = fileURLToPath(new URL("./programs/make-secret.ts", import.meta.url));

function makeDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "soma-secret-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test("a missing secret is made once, for its owner alone, in a folder for its owner alone", (t) => {
  const dir = makeDir(t);
  const path = join(dir, "keys", "worker.key");
  const secret = readOrCreateSecretFile(path, () => Buffer.from("first"));
  assert.equal(secret.toString(), "first");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(dir, "keys")).mode & 0o777, 0o700);
  assert.equal(readOrCreateSecretFile(path, () => assert.fail("made again")).toString(), "first");
  assert.deepEqual(readdirSync(join(dir, "keys")), ["worker.key"]);
});

test("the mode does not hang on the umask", (t) => {
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const path = join(makeDir(t), "secret");
  readOrCreateSecretFile(path, () => Buffer.from("x"));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a secret that group or others may read, write or run is refused with the mode and the remedy", (t) => {
  const path = join(makeDir(t), "secret");
  writeFileSync(path, "canary");
  for (const mode of [0o640, 0o604, 0o644, 0o660, 0o620, 0o602, 0o610, 0o601, 0o777]) {
    chmodSync(path, mode);
    const refusal = { message: `${path} can be read by others (mode ${mode.toString(8)}); run: chmod 600 ${path}` };
    assert.throws(() => readSecretFile(path), refusal);
    assert.throws(() => readOrCreateSecretFile(path, () => assert.fail("made again")), refusal);
  }
  for (const mode of [0o600, 0o400]) {
    chmodSync(path, mode);
    assert.equal(readSecretFile(path).toString(), "canary");
  }
});

test("a link counts as what it points to", (t) => {
  const dir = makeDir(t);
  writeFileSync(join(dir, "open"), "canary", { mode: 0o644 });
  symlinkSync(join(dir, "open"), join(dir, "secret"));
  assert.throws(() => readSecretFile(join(dir, "secret")), /can be read by others/);
});

test("a secret that must exist is not made", (t) => {
  const path = join(makeDir(t), "secret");
  assert.throws(
    () => readSecretFile(path),
    (error) => isNodeError(error, "ENOENT"),
  );
});

function failing(): Uint8Array {
  throw new Error("no randomness");
}

test("when making it fails nothing is left behind", (t) => {
  const dir = makeDir(t);
  assert.throws(() => readOrCreateSecretFile(join(dir, "secret"), failing), /no randomness/);
  assert.deepEqual(readdirSync(dir), []);
});

test("processes that make one secret at once all read the same bytes, and leave nothing else behind", async (t) => {
  for (let round = 0; round < 3; round += 1) {
    const dir = makeDir(t);
    const path = join(dir, "keys", "worker.key");
    const startAtMs = String(Date.now() + 400);
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, [program, path, startAtMs])),
    );
    const secrets = new Set(outputs.map(({ stdout }) => stdout));
    assert.deepEqual([...secrets], [readFileSync(path).toString("hex")]);
    assert.equal(readFileSync(path).length, 32);
    assert.deepEqual(readdirSync(join(dir, "keys")), ["worker.key"]);
  }
});

test("isNodeError tells Node's own errors by their code", () => {
  assert.equal(isNodeError(Object.assign(new Error("x"), { code: "ENOENT" }), "ENOENT"), true);
  assert.equal(isNodeError(Object.assign(new Error("x"), { code: "EACCES" }), "ENOENT"), false);
  assert.equal(isNodeError({ code: "ENOENT" }, "ENOENT"), false);
});
