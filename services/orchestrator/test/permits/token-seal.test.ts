import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { openToken, sealToken } from "../../src/permits/token-seal.ts";
import { code } from "../ledger/refusal.ts";

const key = randomBytes(32);
const effectKey = `sha256:${"1".repeat(64)}`;
const token = "eyJhbGciOiJFZERTQSJ9.canary-claims.canary-signature";

test("what is sealed opens with the same key for the same step", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(openToken(key, sealToken(key, text, effectKey), effectKey), text);
    }),
  );
});

test("a sealed token shows nothing of the token, and sealing it again gives other bytes", () => {
  const sealed = sealToken(key, token, effectKey);
  assert.match(sealed, /^[A-Za-z0-9_-]+$/);
  const bytes = Buffer.from(sealed, "base64url");
  assert.ok(!bytes.includes("canary"));
  assert.notEqual(sealToken(key, token, effectKey), sealed);
});

test("another key opens nothing", () => {
  const sealed = sealToken(key, token, effectKey);
  for (const other of [randomBytes(32), Buffer.alloc(32), Buffer.from(key.toReversed())])
    assert.throws(() => openToken(other, sealed, effectKey), code("PERMIT_INVALID"));
  // A key of a wrong length is no key.
  for (const length of [0, 16, 31, 33])
    assert.throws(() => openToken(randomBytes(length), sealed, effectKey), code("PERMIT_INVALID"));
});

test("the token of one step opens for no other", () => {
  const sealed = sealToken(key, token, effectKey);
  for (const other of ["", `sha256:${"2".repeat(64)}`, effectKey.slice(0, -1), `${effectKey} `])
    assert.throws(() => openToken(key, sealed, other), code("PERMIT_INVALID"));
});

test("any byte that is changed voids it: nonce, text and tag", () => {
  const bytes = Buffer.from(sealToken(key, token, effectKey), "base64url");
  for (let index = 0; index < bytes.length; index += 1) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.throws(() => openToken(key, changed.toString("base64url"), effectKey), code("PERMIT_INVALID"));
  }
});

test("a part of it, more than it, and nothing void it", () => {
  const bytes = Buffer.from(sealToken(key, token, effectKey), "base64url");
  for (let length = 0; length < bytes.length; length += 1) {
    assert.throws(
      () => openToken(key, bytes.subarray(0, length).toString("base64url"), effectKey),
      code("PERMIT_INVALID"),
    );
    assert.throws(
      () => openToken(key, bytes.subarray(bytes.length - length).toString("base64url"), effectKey),
      code("PERMIT_INVALID"),
    );
  }
  const longer = Buffer.concat([bytes, Buffer.from([0])]).toString("base64url");
  assert.throws(() => openToken(key, longer, effectKey), code("PERMIT_INVALID"));
  for (const text of ["", "=", "not sealed", "🙂"])
    assert.throws(() => openToken(key, text, effectKey), code("PERMIT_INVALID"));
});

test("the refusal says nothing of the token", () => {
  const sealed = sealToken(key, token, effectKey);
  assert.throws(
    () => openToken(key, sealed, "another"),
    (error) => error instanceof Error && error.message === "The step's token cannot be opened.",
  );
});
