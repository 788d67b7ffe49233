import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { startIdentity } from "./start-identity.ts";

const stepOf = (parent: Record<string, unknown>) => ({
  capabilities: ["model.complete"],
  audience: "somagent-slm",
  agent_id: "session-agent",
  session_id: "s-1",
  step: "step-1",
  ...parent,
});
const many = (count: number) => Array.from({ length: count }, (_, index) => `jti-${String(index)}`);
const jtiOf = (token: string): string => String(decodeJwt(token).jti);

test("a step's token names the login that its session began with, and ends with it", async (t) => {
  const { post, secretOf, token, verify } = await startIdentity(t);
  const login = await token();
  const step = await token(stepOf({ parent_jti: jtiOf(login) }), "orchestrator");
  assert.deepEqual(decodeJwt(step)["origins"], [jtiOf(login)]);
  const other = await token(stepOf({ parent_jti: jtiOf(await token()) }), "orchestrator");
  assert.equal((await verify(step)).valid, true);
  await post("/v1/tokens/revoke", { jti: jtiOf(login) }, secretOf("login"));
  assert.deepEqual(await verify(step), { valid: false });
  assert.equal((await verify(other)).valid, true, "another login's step");
});

test("nothing is issued on a revoked parent or one that derives from a revoked token, and the answer says which field", async (t) => {
  const { issue, post, token } = await startIdentity(t);
  const login = await token();
  await post("/v1/tokens/revoke", { token: login });
  for (const parent of [
    { parent_jti: jtiOf(login) },
    { parent_jti: "another", parent_origins: ["a-third", jtiOf(login)] },
  ]) {
    const answer = await issue(stepOf(parent), "orchestrator");
    assert.equal(answer.statusCode, 403);
    assert.equal(answer.json().code, "IDENTITY_DENIED");
    assert.equal(answer.json().errors[0].pointer, "/parent_jti");
  }
  // Whose rights are the reason is told apart from that, and says no more than before.
  const other = await issue(stepOf({ parent_jti: "another", user_id: "nobody" }), "orchestrator");
  assert.equal(other.json().code, "IDENTITY_DENIED");
  assert.equal(other.json().errors, undefined);
});

test("an expired parent stops nothing; a revocation of it counts for a week, also after a restart", async (t) => {
  const first = await startIdentity(t);
  const login = await first.token({ ttl_seconds: 60 });
  const parent = { parent_jti: jtiOf(login) };
  first.clock.nowMs += 20 * 3_600_000;
  await first.identity.refreshKeys();
  assert.deepEqual(await first.verify(login), { valid: false });
  const step = await first.token(stepOf(parent), "orchestrator");
  assert.equal((await first.verify(step)).valid, true);
  await first.post("/v1/tokens/revoke", { jti: jtiOf(login) }, first.secretOf("login"));
  const now = first.clock.nowMs;
  await first.stop();

  const second = await startIdentity(t, { dir: first.dir });
  second.clock.nowMs = now + 6 * 86_400_000;
  second.identity.revocations.prune(second.clock.nowMs / 1_000);
  assert.equal((await second.issue(stepOf(parent), "orchestrator")).statusCode, 403);
});

test("a step's own revocation is remembered for as long as the step's token could live, and no longer", async (t) => {
  const { clock, identity, post, token } = await startIdentity(t);
  const step = await token(stepOf({}), "orchestrator");
  await post("/v1/tokens/revoke", { token: step });
  clock.nowMs += 2 * 3_600_000;
  identity.revocations.prune(clock.nowMs / 1_000);
  assert.equal(identity.revocations.isRevoked(jtiOf(step)), false);
});

test("16 origins are the most; what can start a session keeps a place for the session's steps", async (t) => {
  const { issue, token } = await startIdentity(t);
  const step = await token(stepOf({ parent_jti: "parent", parent_origins: many(15) }), "orchestrator");
  assert.deepEqual(decodeJwt(step)["origins"], ["parent", ...many(15)]);
  const tooMany = await issue(stepOf({ parent_jti: "parent", parent_origins: many(16) }), "orchestrator");
  assert.equal(tooMany.statusCode, 400);
  assert.equal((await issue({ parent_jti: "parent", parent_origins: many(14) })).statusCode, 200);
  assert.equal((await issue({ parent_jti: "parent", parent_origins: many(15) })).statusCode, 403);
  for (const odd of ["", "a b", "\ud800", "x".repeat(129)])
    assert.equal((await issue(stepOf({ parent_jti: odd }), "orchestrator", "key")).statusCode, 400, odd);
  const orphan = await issue(stepOf({ parent_origins: many(1) }), "orchestrator");
  assert.equal(orphan.json().errors[0].pointer, "/parent_jti");
});
