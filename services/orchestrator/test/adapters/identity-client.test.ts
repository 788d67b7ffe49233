import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { IssueTokenRequest } from "@soma/contracts/identity";
import { DomainError } from "@soma/kit/domain-error";
import {
  bytes,
  cut,
  hang,
  json,
  startScriptedServer,
  type Answer,
} from "../../../../packages/kit/test/scripted-server.ts";
import { createIdentityClient } from "../../src/adapters/identity-client.ts";
import { sessionId, tenantId, userId } from "../harness/ids.ts";
import { unsignedToken } from "../harness/jwt.ts";
import { code } from "../ledger/refusal.ts";
import { temporaryFolder } from "../ledger/sqlite-store.ts";

const never = new AbortController().signal;
const key = `sha256:${"a".repeat(64)}/1`;
const request: IssueTokenRequest = {
  user_id: userId("user-1"),
  tenant_id: tenantId("tenant-a"),
  agent_id: "session-agent",
  capabilities: ["model.complete"],
  audience: "somagent-slm",
  ttl_seconds: 300,
  session_id: sessionId("sess-1"),
  step: "completion-1",
};
const claims = {
  iss: "http://identity",
  sub: "user-1",
  aud: "somagent-slm",
  jti: "jti-1",
  iat: 1_800_000_000,
  exp: 1_800_000_300,
  tenant_id: "tenant-a",
  scope: "model.complete",
  role: "operator",
  agent_id: "session-agent",
  session_id: "sess-1",
  step: "completion-1",
};

async function startClient(...script: readonly Answer[]) {
  const server = await startScriptedServer(...script);
  const folder = await temporaryFolder();
  const credentialFile = join(folder.path, "credential");
  writeFileSync(credentialFile, "canary-credential\n", { mode: 0o600 });
  const client = createIdentityClient(server.url, credentialFile);
  return {
    ...client,
    seen: server.seen,
    server,
    credentialFile,
    async [Symbol.asyncDispose]() {
      await client.close();
      await folder[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const issued = (changes: Readonly<Record<string, unknown>> = {}): Answer =>
  json(200, { token: unsignedToken({ ...claims, ...changes }), expires_in: 300, token_type: "Bearer" });
const without = (name: keyof typeof claims): Record<string, unknown> => ({ [name]: undefined });

test("a token is asked for with the service's credential and comes with its claims", async () => {
  await using client = await startClient(issued());
  const minted = await client.issue(request, key, never);
  assert.deepEqual(minted.claims, claims);
  assert.equal(minted.token, unsignedToken(claims));
  const [seen] = client.seen;
  assert.equal(seen?.path, "/v1/tokens/issue");
  assert.equal(seen.headers.authorization, "Bearer canary-credential");
  assert.equal(seen.headers["idempotency-key"], key);
  assert.deepEqual(JSON.parse(seen.body), request);
});

test("fewer scopes than asked for are taken: rights only shrink", async () => {
  await using client = await startClient(issued());
  const minted = await client.issue({ ...request, capabilities: ["model.complete", "model.embed"] }, key, never);
  assert.equal(minted.claims.scope, "model.complete");
});

const otherTokens: readonly [title: string, changes: Readonly<Record<string, unknown>>][] = [
  ["P10: a scope more than asked for", { scope: "model.complete session.start" }],
  ["P10: another scope than asked for", { scope: "model.embed" }],
  ["P10: a scope that begins like the one asked for", { scope: "model.complete.all" }],
  ["no scope", { scope: "" }],
  ["scopes with two spaces between", { scope: "model.complete  model.complete" }],
  ["a list of scopes", { scope: ["model.complete"] }],
  ["another user", { sub: "user-2" }],
  ["another tenant", { tenant_id: "tenant-b" }],
  ["another audience", { aud: "somagent-orchestrator" }],
  ["two audiences", { aud: ["somagent-slm", "somagent-orchestrator"] }],
  ["another session", { session_id: "sess-2" }],
  ["another step", { step: "completion-2" }],
  ["another agent", { agent_id: "another-agent" }],
  ["another actor", { act: { sub: "another-agent" } }],
  [
    "a chain of five actors",
    { act: { sub: "a", act: { sub: "b", act: { sub: "c", act: { sub: "d", act: { sub: "e" } } } } } },
  ],
  ["a longer life than asked for", { exp: 1_800_000_301 }],
  ["an end that no calendar knows", { exp: Number.MAX_SAFE_INTEGER }],
  ["no user", without("sub")],
  ["no tenant", without("tenant_id")],
  ["no audience", without("aud")],
  ["no id", without("jti")],
  ["no end", without("exp")],
  ["an end as text", { exp: "1800000300" }],
];

for (const [title, changes] of otherTokens) {
  test(`a token for something else is refused: ${title}`, async () => {
    await using client = await startClient(issued(changes));
    await assert.rejects(client.issue(request, key, never), code("IDENTITY_BAD_RESPONSE"));
  });
}

const badAnswers: readonly [title: string, answer: Answer][] = [
  ["no JWT", json(200, { token: "canary", expires_in: 300, token_type: "Bearer" })],
  ["a JWT whose claims are a list", json(200, { token: unsignedToken([]), expires_in: 300, token_type: "Bearer" })],
  ["another token type", json(200, { token: unsignedToken(claims), expires_in: 300, token_type: "MAC" })],
  ["no token", json(200, { expires_in: 300, token_type: "Bearer" })],
  ["a token over 8 KiB", json(200, { token: "a".repeat(8_193), expires_in: 300, token_type: "Bearer" })],
  ["a field too many", json(200, { token: unsignedToken(claims), expires_in: 300, token_type: "Bearer", more: 1 })],
  ["no JSON", bytes(200, "canary")],
  ["an empty body", bytes(200, "")],
  ["over 1 MiB", bytes(200, JSON.stringify("x".repeat(1_048_577)))],
  ["a redirect", json(302, {}, { location: "/elsewhere" })],
  ["status 201", json(201, { token: unsignedToken(claims), expires_in: 300, token_type: "Bearer" })],
  ["status 401: our credential is not accepted", json(401, {})],
  ["status 400", json(400, {})],
];

for (const [title, answer] of badAnswers) {
  test(`the answer to an issue is IDENTITY_BAD_RESPONSE and shows nothing of it: ${title}`, async () => {
    await using client = await startClient(answer);
    await assert.rejects(client.issue(request, key, never), (error) => {
      assert.ok(error instanceof DomainError);
      assert.equal(error.code, "IDENTITY_BAD_RESPONSE");
      assert.ok(!JSON.stringify([error.message, String(error.cause)]).includes("canary"));
      return true;
    });
    assert.equal(client.seen.length, 1);
  });
}

test("nothing granted is IDENTITY_DENIED, which no retry repeats", async () => {
  await using client = await startClient(json(403, { code: "IDENTITY_DENIED" }));
  await assert.rejects(client.issue(request, key, never), code("IDENTITY_DENIED"));
});

test("a parent that was revoked is ACCESS_REVOKED, and only where the identity service itself blames it", async () => {
  const problem = {
    type: "urn:soma:problem:identity-denied",
    title: "t",
    status: 403,
    detail: "d",
    code: "IDENTITY_DENIED",
    request_id: "r",
  };
  const blames = (pointer: string): Answer => json(403, { ...problem, errors: [{ pointer, detail: "d" }] });
  await using client = await startClient(
    blames("/parent_jti"),
    blames("/user_id"),
    json(403, { errors: [{ pointer: "/parent_jti" }] }),
  );
  const ask = () => client.issue({ ...request, parent_jti: "login" }, key, never);
  await assert.rejects(ask(), code("ACCESS_REVOKED"));
  await assert.rejects(ask(), code("IDENTITY_DENIED"));
  await assert.rejects(ask(), code("IDENTITY_DENIED"));
});

const away: readonly [title: string, answer: Answer][] = [
  ["status 500", json(500, {})],
  ["status 429", json(429, {})],
  ["a connection that is cut", cut],
  ["no answer", hang],
];

for (const [title, answer] of away) {
  test(`${title} is IDENTITY_UNAVAILABLE within 1.2 s, for each of its questions`, async () => {
    await using client = await startClient(answer, answer, answer);
    for (const ask of [
      () => client.issue(request, key, never),
      () => client.verify("a.b.c"),
      () => client.revoke("a.b.c"),
    ]) {
      const begin = performance.now();
      await assert.rejects(ask(), code("IDENTITY_UNAVAILABLE"));
      assert.ok(performance.now() - begin < 1_200);
    }
  });
}

test("a credential that is missing or open to others is never sent, and counts as not available", async () => {
  await using client = await startClient();
  chmodSync(client.credentialFile, 0o644);
  await assert.rejects(client.issue(request, key, never), code("IDENTITY_UNAVAILABLE"));
  rmSync(client.credentialFile);
  await assert.rejects(client.issue(request, key, never), code("IDENTITY_UNAVAILABLE"));
  assert.equal(client.seen.length, 0);
});

test("a credential that was replaced counts from the next question on", async () => {
  await using client = await startClient(issued(), issued());
  await client.issue(request, key, never);
  writeFileSync(client.credentialFile, "another", { mode: 0o600 });
  await client.issue(request, key, never);
  assert.deepEqual(
    client.seen.map(({ headers }) => headers.authorization),
    ["Bearer canary-credential", "Bearer another"],
  );
});

test("an abort ends the question with the caller's reason", async () => {
  await using client = await startClient(hang);
  const controller = new AbortController();
  const reason = new Error("canceled");
  const answer = client.issue(request, key, controller.signal);
  await client.server.arrived;
  controller.abort(reason);
  await assert.rejects(answer, (error) => error === reason);
});

test("a valid token has claims, any other none, and no credential goes with the question", async () => {
  await using client = await startClient(
    json(200, { valid: true, claims }),
    json(200, { valid: false }),
    json(400, { code: "VALIDATION_FAILED" }),
  );
  assert.deepEqual(await client.verify("a.b.c"), claims);
  assert.equal(await client.verify("a.b.c"), undefined);
  assert.equal(await client.verify(""), undefined);
  for (const { path, headers } of client.seen) {
    assert.equal(path, "/v1/tokens/verify");
    assert.equal(headers.authorization, undefined);
  }
});

const badVerifications: readonly [title: string, answer: Answer][] = [
  ["valid as text", json(200, { valid: "true", claims })],
  ["valid as 1", json(200, { valid: 1, claims })],
  ["no valid", json(200, { claims })],
  ["valid without claims", json(200, { valid: true })],
  ["claims without a tenant", json(200, { valid: true, claims: { ...claims, tenant_id: undefined } })],
  ["a tenant that is none", json(200, { valid: true, claims: { ...claims, tenant_id: "../tenant" } })],
  ["an audience that is a list", json(200, { valid: true, claims: { ...claims, aud: ["somagent-orchestrator"] } })],
  ["a field too many", json(200, { valid: true, claims, more: 1 })],
  ["a redirect", json(307, { valid: true, claims }, { location: "/elsewhere" })],
  ["status 404", json(404, { valid: true, claims })],
  ["no JSON", bytes(200, "true")],
];

for (const [title, answer] of badVerifications) {
  test(`a verification that does not fit makes nobody known: ${title}`, async () => {
    await using client = await startClient(answer);
    await assert.rejects(client.verify("a.b.c"), code("IDENTITY_BAD_RESPONSE"));
  });
}

test("a token is revoked by itself, and a service under a path is asked under it", async () => {
  await using server = await startScriptedServer(json(200, { revoked: true }), json(200, {}));
  const client = createIdentityClient(new URL("/identity/", server.url), "/nowhere");
  await client.revoke("a.b.c");
  await client.checkHealth(never);
  await client.close();
  assert.deepEqual(
    server.seen.map(({ path }) => path),
    ["/identity/v1/tokens/revoke", "/identity/health"],
  );
  assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ""), { token: "a.b.c" });
});
