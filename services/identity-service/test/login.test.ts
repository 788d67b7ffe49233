import assert from "node:assert/strict";
import { createHash, createHmac, createPublicKey } from "node:crypto";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { encode } from "./forge.ts";
import { startIssuer } from "./oidc-issuer.ts";
import { startIdentity } from "./start-identity.ts";
import { logIn, outcomeOf, trust, trustOf } from "./trust.ts";

const prefixOf = (issuer: string): string => `oidc:${createHash("sha256").update(issuer).digest("hex").slice(0, 16)}`;
const stepFor = (user: unknown, parent: unknown) => ({
  user_id: user,
  capabilities: ["model.complete"],
  audience: "somagent-slm",
  agent_id: "session-agent",
  session_id: "s-1",
  parent_jti: parent,
});

for (const alg of ["RS256", "PS256", "ES256", "EdDSA"] as const) {
  test(`a real issuer's ${alg} access token becomes one of ours, of an hour`, async (t) => {
    const issuer = await startIssuer(t, alg);
    const running = await startIdentity(t);
    await trust(running, [trustOf(issuer, { algorithms: [alg] })]);
    const answer = await logIn(running, await issuer.machineToken(), { scope: "session.start session.read" });
    assert.equal(answer.statusCode, 200, answer.body);
    assert.equal(answer.headers["cache-control"], "no-store");
    const { token, expires_in: expiresIn, token_type: type } = answer.json();
    assert.deepEqual([expiresIn, type], [3_600, "Bearer"]);
    const { claims } = await running.verify(token);
    assert.deepEqual(claims, {
      iss: running.identity.issuer,
      sub: `${prefixOf(issuer.issuer)}:batch`,
      aud: "somagent-orchestrator",
      jti: claims.jti,
      iat: running.clock.nowMs / 1_000,
      exp: running.clock.nowMs / 1_000 + 3_600,
      tenant_id: "acme",
      scope: "session.start session.read",
      role: "operator",
    });
  });
}

test("a person's access token is accepted and his id token is not, there and at our own door", async (t) => {
  const issuer = await startIssuer(t, "RS256", {
    alice: { groups: ["staff", "ops", "chiefs"], mail: "alice@acme.example" },
  });
  const running = await startIdentity(t);
  const mapping = { role_claim: "groups", roles: { ops: "operator", chiefs: "admin" }, user_claim: "mail" } as const;
  await trust(running, [trustOf(issuer, { ...mapping, default_role: "viewer" })]);
  const { access, id } = await issuer.personTokens("alice");
  const { token } = (await logIn(running, access)).json();
  const { sub, role, scope } = decodeJwt(token);
  assert.equal(sub, `${prefixOf(issuer.issuer)}:alice@acme.example`);
  assert.equal(role, "operator", "the first group that the tenant knows");
  const all = [
    "session.start",
    "session.read",
    "session.cancel",
    "session.steer",
    "ledger.read",
    "model.complete",
    "model.embed",
    "memory.recall",
    "memory.remember",
    "tenant.read",
  ];
  assert.deepEqual(String(scope).split(" ").toSorted(), all.toSorted(), "all that the role may have");

  assert.equal(await outcomeOf(running, id), "type");
  await trust(running, [trustOf(issuer, { ...mapping, audience: "app" })]);
  assert.equal(await outcomeOf(running, id), "type", "also where its audience is the one that we trust");
  for (const foreign of [access, id]) assert.equal(await running.reasonOf(foreign), "unknown_key");
});

test("who is not vouched for gets one answer, whatever is wrong, and only a service hears what", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf(issuer)]);
  const good = await issuer.machineToken();
  const refused: readonly [token: string, reason: string, request?: object][] = [
    ["no token", "malformed"],
    [await issuer.machineToken("https://elsewhere.example/api"), "audience"],
    [good, "issuer", { tenant: "other" }],
    [good, "issuer", { tenant: "nowhere" }],
    [await running.token(), "issuer"],
    [`${good.slice(0, -8)}${good.at(-8) === "A" ? "B" : "A"}${good.slice(-7)}`, "signature"],
  ];
  const bodies = new Set<string>();
  for (const [token, reason, request] of refused) {
    const answer = await logIn(running, token, request);
    assert.equal(answer.statusCode, 401);
    assert.equal(answer.json().code, "LOGIN_REFUSED");
    assert.equal(answer.headers["x-soma-refusal"], undefined);
    bodies.add(JSON.stringify({ ...answer.json(), request_id: "" }));
    assert.equal(await outcomeOf(running, token, request), reason);
  }
  assert.equal(bodies.size, 1);
  assert.ok(!running.lines.join("").includes(good.slice(-40)), "no foreign token stands in the log");
  const stray = { tenant: "acme", token: good };
  assert.equal(
    (await running.post("/v1/login", stray, "A".repeat(43))).statusCode,
    200,
    "what else was sent does not count",
  );
  assert.equal(await running.metric("soma_identity_logins_total", { result: "issuer" }), 6);
  assert.equal(await running.metric("soma_identity_logins_total", { result: "accepted" }), 1);
  assert.equal(await outcomeOf(running, good, { scope: "tenant.manage platform.manage" }), "403 IDENTITY_DENIED");
});

test("a token counts until the leeway after its end is over, and may come again until then", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf(issuer)]);
  const token = await issuer.machineToken();
  const [one, two] = [await logIn(running, token), await logIn(running, token)];
  assert.notEqual(decodeJwt(one.json().token).jti, decodeJwt(two.json().token).jti);
  const end = Number(decodeJwt(token).exp);
  const at = async (offset: number): Promise<string> => {
    running.clock.nowMs = (end + offset) * 1_000;
    return outcomeOf(running, token);
  };
  assert.deepEqual(
    [await at(-1), await at(59), await at(60), await at(61)],
    ["accepted", "accepted", "expired", "expired"],
  );
});

test("the issuer's public key is no secret to sign with, and its list of algorithms is the tenant's", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf(issuer)]);
  const good = await issuer.machineToken();
  const [header, payload] = good.split(".").map((part) => Buffer.from(part, "base64url").toString("utf8"));
  const { keys } = JSON.parse(await (await fetch(issuer.jwksUri)).text());
  const publicKey = createPublicKey({ key: keys[0], format: "jwk" });
  for (const secret of [
    publicKey.export({ type: "spki", format: "pem" }),
    publicKey.export({ type: "spki", format: "der" }),
    JSON.stringify(keys[0]),
  ]) {
    const input = `${encode({ ...JSON.parse(String(header)), alg: "HS256" })}.${encode(JSON.parse(String(payload)))}`;
    const forged = `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
    assert.equal(await outcomeOf(running, forged), "algorithm");
  }
  await trust(running, [trustOf(issuer, { algorithms: ["PS256", "ES256", "EdDSA"] })]);
  assert.equal(await outcomeOf(running, good), "algorithm");
  await trust(running, [trustOf(issuer, { algorithms: ["ES256", "RS256"] })]);
  assert.equal(await outcomeOf(running, good), "accepted");
});

test("keys that the issuer changed are fetched when a token names one; made-up ids cost one fetch in half a minute", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf(issuer)]);
  const before = await issuer.machineToken();
  assert.deepEqual([await outcomeOf(running, before), issuer.keyRequests()], ["accepted", 1]);
  issuer.rotate();
  const after = await issuer.machineToken();
  assert.equal(await outcomeOf(running, after), "unknown_key", "not within 30 s of the last fetch");
  assert.equal(await outcomeOf(running, before), "accepted", "the set is fresh");
  running.clock.nowMs += 30_000;
  assert.deepEqual([await outcomeOf(running, after), issuer.keyRequests()], ["accepted", 2]);
  assert.equal(await outcomeOf(running, before), "unknown_key", "a key that was withdrawn");

  const [, payload, signature] = after.split(".");
  running.clock.nowMs += 30_000;
  const flood = Array.from({ length: 60 }, (_, index) => {
    const header = encode({ alg: "RS256", typ: "at+jwt", kid: `made-up-${String(index)}` });
    return outcomeOf(running, [header, payload, signature].join("."));
  });
  assert.deepEqual(new Set(await Promise.all(flood)), new Set(["unknown_key"]));
  assert.equal(issuer.keyRequests(), 3);
  running.clock.nowMs += 20_000;
  assert.deepEqual([await outcomeOf(running, after), issuer.keyRequests()], ["accepted", 3]);
});

test("a key that the issuer withdrew counts for five minutes at most", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf(issuer)]);
  const token = await issuer.machineToken();
  assert.equal(await outcomeOf(running, token), "accepted");
  issuer.rotate();
  running.clock.nowMs += 299_000;
  assert.deepEqual([await outcomeOf(running, token), issuer.keyRequests()], ["expired", 1], "its key is still known");
  running.clock.nowMs += 1_000;
  assert.deepEqual([await outcomeOf(running, token), issuer.keyRequests()], ["unknown_key", 2]);
});

test("an issuer that is down: without its keys nobody gets in; with them its tokens count for an hour more", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf(issuer)]);
  const token = await issuer.machineToken();
  await issuer.stop();
  const answer = await logIn(running, token);
  assert.deepEqual([answer.statusCode, answer.json().code], [503, "IDENTITY_UNAVAILABLE"]);
  assert.equal(answer.headers["retry-after"], "5");
  await issuer.restart();
  assert.equal(await outcomeOf(running, token), "503 IDENTITY_UNAVAILABLE", "left alone for five seconds");
  running.clock.nowMs += 5_000;
  assert.equal(await outcomeOf(running, token), "accepted");

  await issuer.stop();
  const fetchedAtMs = running.clock.nowMs;
  running.clock.nowMs = fetchedAtMs + 3_599_000;
  assert.equal(await outcomeOf(running, token), "expired", "its key is still known");
  running.clock.nowMs = fetchedAtMs + 3_600_000;
  assert.equal(await outcomeOf(running, token), "503 IDENTITY_UNAVAILABLE");
  assert.ok((await running.metric("soma_identity_issuer_key_fetches_total", { result: "failed" })) >= 2);
  await issuer.restart();
  running.clock.nowMs += 5_000;
  assert.equal(await outcomeOf(running, token), "expired", "asked again");
});

test("what comes of a login is a token like any other: steps, revocation, and an end when trust ends", async (t) => {
  const issuer = await startIssuer(t);
  const running = await startIdentity(t);
  await trust(running, [trustOf(issuer)]);
  const login = async () => String((await logIn(running, await issuer.machineToken())).json().token);
  const first = await login();
  const { sub, jti } = decodeJwt(first);
  running.clock.nowMs += 6 * 86_400_000;
  const step = await running.token(stepFor(sub, jti), "orchestrator");
  assert.equal((await running.verify(step)).valid, true);
  assert.equal((await running.issue({ ...stepFor(sub, jti), tenant_id: "other" }, "orchestrator")).statusCode, 403);
  await running.post("/v1/tokens/revoke", { jti }, running.secretOf("login"));
  assert.equal(await running.reasonOf(step), "revoked");
  running.clock.nowMs += 86_400_000;
  assert.equal(
    (await running.issue(stepFor(sub, "other"), "orchestrator")).statusCode,
    403,
    "after a week he is forgotten",
  );

  running.clock.nowMs -= 7 * 86_400_000;
  const second = await login();
  assert.equal((await running.verify(second)).valid, true);
  await trust(running, []);
  assert.equal(await running.reasonOf(second), "rights_changed");
  assert.equal((await running.issue(stepFor(sub, "other"), "orchestrator")).statusCode, 403);
});

test("a role that changed counts from the next login on, and ends what the old one was given", async (t) => {
  const said = { batch: { groups: "chiefs" } };
  const issuer = await startIssuer(t, "RS256", said);
  const running = await startIdentity(t);
  const mapping = { role_claim: "groups", roles: { chiefs: "admin", guests: "viewer" } } as const;
  const { default_role: _none, ...strict } = trustOf(issuer, mapping);
  await trust(running, [strict]);
  const asChief = (await logIn(running, await issuer.machineToken())).json().token;
  assert.equal((await running.verify(asChief)).claims.role, "admin");
  said.batch.groups = "guests";
  const asGuest = (await logIn(running, await issuer.machineToken())).json().token;
  assert.deepEqual(decodeJwt(asGuest)["scope"], "session.read ledger.read tenant.read");
  assert.equal(await running.reasonOf(asChief), "rights_changed");
  said.batch.groups = "strangers";
  assert.equal(await outcomeOf(running, await issuer.machineToken()), "claims", "no role, no login");
});

test("nobody from elsewhere is a user of the registry, of another issuer, or one who runs the installation", async (t) => {
  const [one, two] = [await startIssuer(t), await startIssuer(t)];
  const running = await startIdentity(t);
  await trust(running, [trustOf(one, { default_role: "admin" }), trustOf(two)]);
  const users = new Set<unknown>();
  for (const issuer of [one, two]) {
    const { access } = await issuer.personTokens("ann");
    const { sub, scope } = decodeJwt((await logIn(running, access)).json().token);
    users.add(sub);
    assert.match(String(sub), /^oidc:[0-9a-f]{16}:ann$/);
    assert.ok(!String(scope).includes("platform.manage"));
  }
  assert.equal(users.size, 2);
  await trust(running, [trustOf(one, { default_role: "admin" })], "platform");
  const { access } = await one.personTokens("root");
  const inPlatform = (await logIn(running, access, { tenant: "platform" })).json().token;
  assert.match(String(decodeJwt(inPlatform)["scope"]), /tenant\.manage/);
  assert.ok(!String(decodeJwt(inPlatform)["scope"]).includes("platform.manage"));
  assert.equal(
    await outcomeOf(running, access, { tenant: "platform", scope: "platform.manage" }),
    "403 IDENTITY_DENIED",
  );
});
