import assert from "node:assert/strict";
import { test } from "node:test";
import { startIdentity } from "./start-identity.ts";

type Running = Awaited<ReturnType<typeof startIdentity>>;
const asMia = ({ issue }: Running, code?: string, more: Record<string, unknown> = {}) =>
  issue({ user_id: "mia", mfa_code: code, ...more });

/** A code that is right at none of the steps that are accepted. */
function wrongCode({ codeAt }: Running, not = 0): string {
  const right = new Set([-1, 0, 1].map((step) => codeAt(step)));
  const wrong = Array.from({ length: 20 }, (_, index) => String(100_000 + index)).filter((code) => !right.has(code));
  return String(wrong[not]);
}

test("an enrolled user needs a code: missing and wrong are MFA_REQUIRED, the right one gives a token", async (t) => {
  const running = await startIdentity(t);
  for (const code of [undefined, wrongCode(running), `${running.codeAt()}0`]) {
    const answer = await asMia(running, code);
    assert.equal(answer.statusCode, 401, code);
    assert.equal(answer.json().code, "MFA_REQUIRED");
  }
  const answer = await asMia(running, running.codeAt());
  assert.equal(answer.statusCode, 200);
  assert.equal((await running.verify(answer.json().token)).valid, true);
});

test("a code is accepted once: not again, not by two requests at once, not after a restart", async (t) => {
  const first = await startIdentity(t);
  const code = first.codeAt();
  const statuses = (await Promise.all([asMia(first, code), asMia(first, code)])).map(({ statusCode }) => statusCode);
  assert.deepEqual(new Set(statuses), new Set([200, 401]));
  assert.equal((await asMia(first, code)).statusCode, 401);
  await first.stop();
  const second = await startIdentity(t, { dir: first.dir });
  second.clock.nowMs = first.clock.nowMs;
  assert.equal((await asMia(second, code)).statusCode, 401);
  second.clock.nowMs += 30_000;
  assert.equal((await asMia(second, second.codeAt())).statusCode, 200);
});

const drifts: readonly [steps: number, status: number][] = [
  [-2, 401],
  [-1, 200],
  [1, 200],
  [2, 401],
];
for (const [steps, status] of drifts) {
  test(`a code of ${String(steps)} steps from now is answered with ${String(status)}`, async (t) => {
    const running = await startIdentity(t);
    assert.equal((await asMia(running, running.codeAt(steps))).statusCode, status);
  });
}

test("after a code of the next step, the one of this step is not accepted any more", async (t) => {
  const running = await startIdentity(t);
  assert.equal((await asMia(running, running.codeAt(1))).statusCode, 200);
  assert.equal((await asMia(running, running.codeAt(0))).statusCode, 401);
});

test("five wrong codes lock the user for the rest of five minutes, even for the right code", async (t) => {
  const running = await startIdentity(t);
  for (let nth = 0; nth < 5; nth += 1) {
    const answer = await asMia(running, wrongCode(running, nth));
    assert.equal(answer.headers["retry-after"], undefined);
  }
  const locked = await asMia(running, running.codeAt());
  assert.equal(locked.statusCode, 401);
  assert.equal(locked.headers["retry-after"], "300");
  assert.equal((await running.issue()).statusCode, 200, "other users are not locked");
  running.clock.nowMs += 299_000;
  assert.equal((await asMia(running, running.codeAt())).headers["retry-after"], "1");
  running.clock.nowMs += 1_000;
  assert.equal((await asMia(running, running.codeAt())).statusCode, 200);
});

test("wrong codes that are sent at once are counted like wrong codes sent one by one", async (t) => {
  const running = await startIdentity(t);
  const answers = await Promise.all(Array.from({ length: 12 }, (_, nth) => asMia(running, wrongCode(running, nth))));
  assert.equal(answers.filter(({ headers }) => headers["retry-after"] !== undefined).length, 7);
});

test("a user who must have a second factor and is not enrolled gets no token, whatever the code", async (t) => {
  const { issue } = await startIdentity(t);
  for (const code of [undefined, "123456"]) {
    const answer = await issue({ user_id: "max", mfa_code: code });
    assert.equal(answer.json().code, "MFA_REQUIRED");
  }
});

test("a step of a session needs no code, but only with a session and another audience than the orchestrator", async (t) => {
  const running = await startIdentity(t);
  const capabilities = ["model.complete"];
  const step = { capabilities, audience: "somagent-slm", session_id: "s-1" };
  assert.equal((await asMia(running, undefined, step)).statusCode, 200);
  assert.equal((await asMia(running, undefined, { ...step, session_id: undefined })).statusCode, 401);
  assert.equal((await asMia(running, undefined, { ...step, audience: undefined })).statusCode, 401);
});

test("a request that would be denied anyway uses up no code", async (t) => {
  const running = await startIdentity(t);
  const code = running.codeAt();
  assert.equal((await asMia(running, code, { capabilities: ["session.read"] })).statusCode, 403);
  assert.equal((await asMia(running, code)).statusCode, 200);
});

test("a user without a second factor is not asked for one, and a code is no harm", async (t) => {
  const { issue } = await startIdentity(t);
  assert.equal((await issue({ mfa_code: "000000" })).statusCode, 200);
});
