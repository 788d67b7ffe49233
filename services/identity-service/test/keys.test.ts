import assert from "node:assert/strict";
import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { KeyRing } from "../src/keys/key-ring.ts";
import { makeDir, startIdentity } from "./start-identity.ts";

const hour = 3_600_000;

test("rotation: the new key is published before it signs, and the old one verifies what it signed", async (t) => {
  const running = await startIdentity(t, { environment: { KEY_ROTATION_HOURS: "24", KEY_PREPUBLISH_SECONDS: "600" } });
  const { app, clock, identity, token, verify } = running;
  const published = async (): Promise<string[]> =>
    (await app.inject("/.well-known/jwks.json")).json().keys.map(({ kid }: { kid: string }) => kid);
  const signer = async (): Promise<string | undefined> => decodeProtectedHeader(await token()).kid;
  const [first] = await published();
  assert.equal(await signer(), first);

  clock.nowMs += 24 * hour - 1_000;
  await identity.refreshKeys();
  assert.deepEqual(await published(), [first], "not before it is time");
  clock.nowMs += 1_000;
  await identity.refreshKeys();
  const both = await published();
  assert.equal(both.length, 2);
  assert.equal(both[0], first);
  assert.equal(await signer(), first, "published and not yet used");

  clock.nowMs += 599_000;
  const last = await token({ ttl_seconds: 3_600 });
  assert.equal(decodeProtectedHeader(last).kid, first);
  clock.nowMs += 1_000;
  assert.equal(await signer(), both[1]);
  assert.equal((await verify(last)).valid, true);

  clock.nowMs += hour;
  await identity.refreshKeys();
  assert.deepEqual(await published(), both, "kept while its last token is within its leeway");
  assert.equal((await verify(last)).valid, true);
  clock.nowMs += hour;
  await identity.refreshKeys();
  assert.deepEqual(await published(), [both[1]]);
  assert.equal(readdirSync(join(running.dir, "keys")).length, 1, "the private key is gone as well");
});

test("anybody can verify with the published keys, which hold nothing private", async (t) => {
  const { app, clock, token } = await startIdentity(t);
  const answer = await app.inject("/.well-known/jwks.json");
  assert.equal(answer.headers["cache-control"], "public, max-age=300");
  assert.deepEqual(Object.keys(answer.json().keys[0]).toSorted(), ["alg", "crv", "kid", "kty", "use", "x"]);
  const options = { audience: "somagent-orchestrator", typ: "at+jwt", currentDate: new Date(clock.nowMs) };
  const { payload } = await jwtVerify(await token(), createLocalJWKSet(answer.json()), options);
  assert.equal(payload.sub, "ann");
});

const policyFor = (dir: string, clock: () => number = Date.now) => ({
  dir,
  rotationSeconds: 1_000,
  prepublishSeconds: 100,
  clock,
});

test("several processes on one folder make one first key and rotate once", async (t) => {
  const dir = join(makeDir(t), "keys");
  let now = Date.now();
  const open = () => KeyRing.open(policyFor(dir, () => now));
  const rings = await Promise.all([open(), open(), open()]);
  assert.equal(new Set(rings.map((ring) => ring.signingKey().kid)).size, 1);
  now += 1_000_000;
  await Promise.all(rings.map((ring) => ring.refresh()));
  await Promise.all(rings.map((ring) => ring.refresh()));
  assert.equal(readdirSync(dir).length, 2);
  now += 100_000;
  assert.equal(new Set(rings.map((ring) => ring.signingKey().kid)).size, 1);
});

test("keys are for their owner only, and keys that are not stop the start", async (t) => {
  const dir = join(makeDir(t), "keys");
  await KeyRing.open(policyFor(dir));
  const file = join(dir, "key-000001.json");
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const refused = (words: RegExp) =>
    assert.rejects(KeyRing.open(policyFor(dir)), (error) => error instanceof ConfigError && words.test(error.message));
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(file, mode);
    await refused(/key-000001\.json can be read by others/);
  }
  chmodSync(file, 0o600);
  chmodSync(dir, 0o770);
  await refused(/keys is open to others/);
  chmodSync(dir, 0o700);
  writeFileSync(file, "{}");
  await refused(/is not a key file/);
});

test("a key whose file is taken away signs and verifies nothing any more", async (t) => {
  const { dir, identity, token, verify } = await startIdentity(t);
  const issued = await token();
  await identity.keys.rotate();
  rmSync(join(dir, "keys", "key-000001.json"));
  await identity.refreshKeys();
  assert.deepEqual(await verify(issued), { valid: false });
  assert.equal((await verify(await token())).valid, true);
});
