import assert from "node:assert/strict";
import { test } from "node:test";
import { forge, genuine } from "./forge.ts";
import { attacks } from "./jwt-attacks.ts";
import { startIdentity } from "./start-identity.ts";

for (const [title, reason, make] of attacks) {
  test(`${title} is ${reason} to a service, and nothing but not valid to everybody else`, async (t) => {
    const running = await startIdentity(t);
    const from = await genuine(running);
    assert.equal((await running.verify(from.token)).valid, true);
    const token = make(from);
    const answer = await running.post("/v1/tokens/verify", { token });
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.body, '{"valid":false}');
    const told = await running.post("/v1/tokens/verify", { token }, running.secretOf("orchestrator"));
    assert.deepEqual(told.json(), { valid: false, reason });
    assert.equal(await running.metric("soma_identity_verifications_total", { result: reason }), 2);
  });
}

test("what the table forges is accepted when nothing is wrong with it", async (t) => {
  const running = await startIdentity(t);
  const { header, claims, privateKey } = await genuine(running);
  assert.deepEqual(await running.verify(forge(header, claims, privateKey)), { valid: true, claims });
});
