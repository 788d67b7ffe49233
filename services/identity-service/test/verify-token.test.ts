import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TokenRefusal } from "@soma/contracts/access";
import { forge, genuine } from "./forge.ts";
import { startIdentity } from "./start-identity.ts";

/** Seconds by which a claim of a token that we signed lies before or after the service's clock. */
const moments: readonly [claim: "exp" | "iat" | "nbf", offset: number, reason?: TokenRefusal][] = [
  ["exp", -59],
  ["exp", -60, "expired"],
  ["exp", -61, "expired"],
  ["iat", 59],
  ["iat", 60],
  ["iat", 61, "not_yet_valid"],
  ["nbf", 59],
  ["nbf", 60],
  ["nbf", 61, "not_yet_valid"],
];
for (const [claim, offset, reason] of moments) {
  test(`a token whose ${claim} is ${String(offset)} s from now is ${reason ?? "valid"}`, async (t) => {
    const running = await startIdentity(t);
    const { header, claims, privateKey } = await genuine(running);
    const token = forge(header, { ...claims, [claim]: running.clock.nowMs / 1_000 + offset }, privateKey);
    const answer = await running.post("/v1/tokens/verify", { token }, running.secretOf("login"));
    if (reason === undefined) assert.equal(answer.json().valid, true);
    else assert.deepEqual(answer.json(), { valid: false, reason });
  });
}

test("with an audience named, a token for another one is not valid; a service hears why", async (t) => {
  const { post, secretOf, token } = await startIdentity(t);
  const ours = await token();
  const ask = async (audience: string, service?: string) =>
    (await post("/v1/tokens/verify", { token: ours, audience }, service && secretOf(service))).json();
  assert.equal((await ask("somagent-orchestrator")).valid, true);
  assert.deepEqual(await ask("somagent-slm"), { valid: false });
  assert.deepEqual(await ask("somagent-slm", "orchestrator"), { valid: false, reason: "audience" });
  assert.deepEqual(await ask("somagent-orchestrator/", "orchestrator"), { valid: false, reason: "audience" });
});

test("who shows a credential that is none is not served, not even with a valid token", async (t) => {
  const { app, secretOf, token } = await startIdentity(t);
  const body = { token: await token() };
  for (const authorization of [`Bearer ${"A".repeat(43)}`, `Bearer ${body.token}`, secretOf("login"), ""]) {
    const answer = await app.inject({ method: "POST", url: "/v1/tokens/verify", headers: { authorization }, body });
    assert.equal(answer.statusCode, 401, authorization.slice(0, 12));
    assert.equal(answer.json().code, "UNAUTHENTICATED");
    assert.ok(!answer.body.includes('valid"'));
  }
});

test("revoked and without rights any more are told apart, to a service", async (t) => {
  const { dir, identity, post, secretOf, token } = await startIdentity(t);
  const revoked = await token();
  await post("/v1/tokens/revoke", { token: revoked });
  const gone = await token();
  const path = join(dir, "registry.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replace("ann: { role: operator", "bob: { role: operator"));
  identity.refreshRegistry();
  const reasonOf = async (one: string) =>
    (await post("/v1/tokens/verify", { token: one }, secretOf("login"))).json().reason;
  assert.deepEqual([await reasonOf(revoked), await reasonOf(gone)], ["revoked", "rights_changed"]);
});

test("a token of 8192 characters is judged, a longer one is refused as a request", async (t) => {
  const running = await startIdentity(t);
  const { header, claims, privateKey } = await genuine(running);
  const empty = forge(header, { ...claims, pad: "" }, privateKey).length;
  const longest = forge(header, { ...claims, pad: "x".repeat(Math.floor(((8_192 - empty) * 3) / 4)) }, privateKey);
  assert.ok(longest.length > 8_188 && longest.length <= 8_192, String(longest.length));
  assert.equal((await running.verify(longest)).valid, true);
  const answer = await running.post("/v1/tokens/verify", { token: `${longest}xxxx` });
  assert.equal(answer.statusCode, 400);
  assert.equal(answer.json().code, "VALIDATION_FAILED");
});

const shrinkings: readonly [title: string, from: string, to: string][] = [
  ["the user is gone", "ann: { role: operator", "bob: { role: operator"],
  ["the user's role changes", "ann: { role: operator", "ann: { role: admin"],
  ["the user loses the capability", "session.read, model.complete, model.embed]", "session.read]"],
  ["the agent is gone", "session-agent: {", "other-agent: {"],
];
for (const [title, from, to] of shrinkings) {
  test(`a token dies when ${title}`, async (t) => {
    const { dir, identity, metric, token, verify } = await startIdentity(t);
    const issued = await token({ capabilities: ["model.complete"], agent_id: "session-agent" });
    assert.equal((await verify(issued)).valid, true);
    const path = join(dir, "registry.yaml");
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(from));
    writeFileSync(path, text.replace(from, to));
    identity.refreshRegistry();
    assert.equal(await metric("soma_identity_registry_refused", {}), 0);
    assert.deepEqual(await verify(issued), { valid: false });
  });
}
