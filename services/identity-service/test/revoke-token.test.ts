import assert from "node:assert/strict";
import { test } from "node:test";
import { withOtherSignature } from "../../../packages/kit/test/forged-token.ts";
import { decodeJwt } from "jose";
import { startIdentity } from "./start-identity.ts";

test("who holds a token can end it, and it stays ended after a restart", async (t) => {
  const first = await startIdentity(t);
  const [revoked, other] = [await first.token(), await first.token()];
  assert.deepEqual((await first.post("/v1/tokens/revoke", { token: revoked })).json(), { revoked: true });
  assert.deepEqual(await first.verify(revoked), { valid: false });
  assert.equal((await first.verify(other)).valid, true);
  await first.stop();

  const second = await startIdentity(t, { dir: first.dir });
  assert.deepEqual(await second.verify(revoked), { valid: false });
  assert.equal((await second.verify(other)).valid, true, "the keys survive, too");
  assert.deepEqual((await second.post("/v1/tokens/revoke", { token: revoked })).json(), { revoked: true });
});

test("by its id a token can be ended by a service only", async (t) => {
  const { post, secretOf, token, verify } = await startIdentity(t);
  const issued = await token();
  const { jti } = decodeJwt(issued);
  const refused = await post("/v1/tokens/revoke", { jti });
  assert.equal(refused.statusCode, 401);
  assert.equal((await verify(issued)).valid, true);
  const answer = await post("/v1/tokens/revoke", { jti }, secretOf("orchestrator"));
  assert.deepEqual(answer.json(), { revoked: true });
  assert.deepEqual(await verify(issued), { valid: false });
});

test("a token that is none of ours and one that has expired are not told apart", async (t) => {
  const { clock, post, token } = await startIdentity(t);
  const issued = await token();
  clock.nowMs += 400_000;
  const answers = [issued, withOtherSignature(issued), "x"].map((text) => post("/v1/tokens/revoke", { token: text }));
  for (const answer of await Promise.all(answers)) assert.equal(answer.body, '{"revoked":false}');
});

test("a revocation is remembered for as long as anything can derive from the token, and forgotten later", async (t) => {
  const { clock, identity, post, secretOf, token, verify } = await startIdentity(t);
  const issued = await token({ ttl_seconds: 3_600 });
  const jti = String(decodeJwt(issued).jti);
  await post("/v1/tokens/revoke", { jti }, secretOf("login"));
  const start = clock.nowMs;
  clock.nowMs = start + 3_659_000;
  identity.revocations.prune(clock.nowMs / 1_000);
  assert.deepEqual(await verify(issued), { valid: false });
  clock.nowMs = start + 7 * 24 * 3_600_000;
  identity.revocations.prune(clock.nowMs / 1_000);
  assert.equal(identity.revocations.isRevoked(jti), true, "what derives from it may be asked for still");
  clock.nowMs += 2 * 3_600_000;
  identity.revocations.prune(clock.nowMs / 1_000);
  assert.equal(identity.revocations.isRevoked(jti), false);
});

for (const [title, body] of [
  ["neither", {}],
  ["both", { token: "x", jti: "x" }],
] as const) {
  test(`${title} of token and jti is a 400`, async (t) => {
    const { post, secretOf } = await startIdentity(t);
    const answer = await post("/v1/tokens/revoke", body, secretOf("login"));
    assert.equal(answer.statusCode, 400);
    assert.equal(answer.json().code, "VALIDATION_FAILED");
  });
}
