import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { exchangeRegistry, registryText, startIdentity } from "./start-identity.ts";

const key = `sha256:${"a".repeat(64)}/1`;

test("the same key and request: the same token again, with what is left of its life, after a restart too", async (t) => {
  const first = await startIdentity(t);
  const before = (await first.issue({}, "login", key)).json();
  first.clock.nowMs += 100_000;
  const again = (await first.issue({}, "login", key)).json();
  assert.deepEqual(decodeJwt(again.token), decodeJwt(before.token));
  assert.deepEqual([before.expires_in, again.expires_in], [300, 200]);
  assert.equal(await first.metric("soma_identity_tokens_issued_total", { kind: "repeated" }), 1);
  assert.equal(await first.metric("soma_identity_tokens_issued_total", { kind: "user" }), 1);
  const now = first.clock.nowMs;
  await first.stop();

  const second = await startIdentity(t, { dir: first.dir });
  second.clock.nowMs = now;
  const after = (await second.issue({}, "login", key)).json();
  assert.deepEqual(decodeJwt(after.token), decodeJwt(before.token));
  assert.equal((await second.verify(after.token)).valid, true);
});

test("a key is a service's own; without one, and for each other, there is another token", async (t) => {
  const { issue, secretOf, post } = await startIdentity(t);
  const request = { capabilities: ["model.complete"], audience: "somagent-slm" };
  const tokens = [
    (await issue(request, "login", key)).json(),
    (await issue(request, "orchestrator", key)).json(),
    (await issue(request, "login", `${key}0`)).json(),
    (await issue(request, "login")).json(),
    (await issue(request, "login")).json(),
  ];
  assert.equal(new Set(tokens.map(({ token }) => decodeJwt(token).jti)).size, 5);
  const body = { user_id: "ann", tenant_id: "acme", ...request };
  for (const bad of ["", "a b", "x".repeat(256), "ü"]) {
    const answer = await post("/v1/tokens/issue", body, secretOf("login"), { "idempotency-key": bad });
    assert.equal(answer.statusCode, 400, bad);
  }
});

test("the same key with another request is a 422, until the token has expired", async (t) => {
  const { clock, issue } = await startIdentity(t);
  await issue({}, "login", key);
  const other = await issue({ ttl_seconds: 10 }, "login", key);
  assert.equal(other.statusCode, 422);
  assert.equal(other.json().code, "IDEMPOTENCY_KEY_REUSED");
  clock.nowMs += 300_000;
  assert.equal((await issue({ ttl_seconds: 10 }, "login", key)).statusCode, 200);
});

test("a token that was revoked, or that would not be granted any more, is not given again", async (t) => {
  const { dir, identity, issue, post } = await startIdentity(t);
  const parent = (await issue()).json().token;
  const request = { capabilities: ["session.start", "session.read"], parent_jti: decodeJwt(parent).jti };
  const give = async (): Promise<string> => (await issue(request, "login", key)).json().token;
  const first = await give();
  await post("/v1/tokens/revoke", { token: first });
  const second = await give();
  assert.notEqual(decodeJwt(second).jti, decodeJwt(first).jti);
  assert.equal(decodeJwt(await give()).jti, decodeJwt(second).jti);

  writeFileSync(
    join(dir, "registry.yaml"),
    registryText.replace(
      "ann: { role: operator, capabilities: [session.start, ",
      "ann: { role: operator, capabilities: [",
    ),
  );
  identity.refreshRegistry();
  const third = await give();
  assert.equal(decodeJwt(third)["scope"], "session.read");

  await post("/v1/tokens/revoke", { token: parent });
  assert.equal((await issue(request, "login", key)).json().code, "IDENTITY_DENIED");
});

test("a lost answer to a request with a one-time code can be asked for again with the same code", async (t) => {
  const { codeAt, issue } = await startIdentity(t);
  const request = { user_id: "mia", mfa_code: codeAt() };
  const first = (await issue(request, "login", key)).json();
  assert.equal(decodeJwt((await issue(request, "login", key)).json().token).jti, decodeJwt(first.token).jti);
  assert.equal((await issue(request, "login", "another")).json().code, "MFA_REQUIRED", "the code counts once");
  assert.equal((await issue({ user_id: "mia", mfa_code: "000000" }, "login", key)).statusCode, 422);
});

test("an exchange with a key happens once, and its key is void for another subject", async (t) => {
  const { exchange, token } = await startIdentity(t, { registry: exchangeRegistry });
  const subject_token = await token();
  const first = (await exchange({ subject_token }, "gateway", key)).json();
  const again = (await exchange({ subject_token }, "gateway", key)).json();
  assert.equal(decodeJwt(again.access_token).jti, decodeJwt(first.access_token).jti);
  assert.equal((await exchange({ subject_token: await token() }, "gateway", key)).statusCode, 422);
});

test("requests at once with one key get one token", async (t) => {
  const { issue } = await startIdentity(t);
  const answers = await Promise.all(Array.from({ length: 20 }, () => issue({}, "login", key)));
  assert.equal(new Set(answers.map((answer) => decodeJwt(answer.json().token).jti)).size, 1);
});

test("no token is kept, and what is kept is gone when the token has expired", async (t) => {
  const { clock, dir, identity, issue, verify } = await startIdentity(t);
  const { token } = (await issue({}, "login", key)).json();
  const { jti } = decodeJwt(token);
  const kept = readdirSync(dir).filter((name) => name.startsWith("identity.sqlite"));
  const onDisk = kept.map((name) => readFileSync(join(dir, name), "latin1")).join("");
  assert.ok(onDisk.includes(String(jti)), "the claims are kept");
  for (const part of token.split(".")) assert.ok(!onDisk.includes(part));
  assert.notEqual(identity.issued.find("login", key), undefined);
  clock.nowMs += 301_000;
  identity.issued.prune(clock.nowMs / 1_000);
  assert.equal(identity.issued.find("login", key), undefined);
  assert.equal((await verify(token)).valid, true, "within the leeway: the memory is what went");
});
