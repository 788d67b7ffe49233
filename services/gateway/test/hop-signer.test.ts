import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "@soma/kit/config";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { openHopSigner } from "../src/hop/hop-signer.ts";
import { temporaryDataDir } from "./real-gateway.ts";

const request = { method: "GET", path: "/v1/sessions", body: "" };

test("the key is made once, for its owner alone, and its public half stands beside it", async () => {
  using dir = temporaryDataDir();
  const file = join(dir.path, "keys/hop-key");
  const kidOf = async () => decodeProtectedHeader(await (await openHopSigner(file))(request)).kid;
  const kid = await kidOf();
  assert.equal(await kidOf(), kid, "the same after a restart");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const text = readFileSync(`${file}.pub`, "utf8");
  assert.equal(text.split("\n").length, 2, "one line");
  assert.deepEqual(Object.keys(JSON.parse(text)), ["kty", "crv", "x", "kid", "use", "alg"]);
  assert.equal(JSON.parse(text).kid, kid);
});

test("a token is for one request, ten seconds and one use", async () => {
  using dir = temporaryDataDir();
  const sign = await openHopSigner(join(dir.path, "hop-key"));
  const body = Buffer.from('{"a":1}');
  const [one, other] = await Promise.all([
    sign({ method: "POST", path: "/v1/sessions?x=1", body, authorization: "Bearer a" }),
    sign({ method: "POST", path: "/v1/sessions?x=1", body, authorization: "Bearer a" }),
  ]);
  const { jti, iat = 0, exp = 0, ...claims } = decodeJwt(one);
  assert.equal(exp - iat, 10);
  assert.match(String(jti), /^[A-Za-z0-9_-]{22}$/);
  assert.notEqual(jti, decodeJwt(other).jti);
  assert.deepEqual(claims, {
    iss: "gateway",
    aud: "somagent-orchestrator",
    method: "POST",
    path: "/v1/sessions?x=1",
    body_digest: "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
    authorization_digest: "sha256:122c4e371d393490e5789c418af3d3854ed07f2b8b087f8ac4b418dba01cf197",
  });
});

test("a key that others can read, or that is none, stops the start and is not shown", async () => {
  using dir = temporaryDataDir();
  const file = join(dir.path, "hop-key");
  await openHopSigner(file);
  chmodSync(file, 0o640);
  await assert.rejects(openHopSigner(file), (error) => error instanceof ConfigError && /chmod 600/.test(error.message));
  writeFileSync(file, "secret-text", { mode: 0o600 });
  chmodSync(file, 0o600);
  await assert.rejects(
    openHopSigner(file),
    (error) => error instanceof ConfigError && !error.message.includes("secret-text"),
  );
});
