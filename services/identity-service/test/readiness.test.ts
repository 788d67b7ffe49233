import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "../src/config.ts";
import { startIdentity } from "./start-identity.ts";

test("ready while the state can be written, and names it when it cannot", async (t) => {
  const { app, identity } = await startIdentity(t);
  assert.equal((await app.inject("/ready")).statusCode, 200);
  await identity.close();
  const answer = await app.inject("/ready");
  assert.equal(answer.statusCode, 503);
  assert.deepEqual(answer.json().missing, [{ name: "state-database" }]);
  assert.equal((await app.inject("/health")).statusCode, 200);
});

test("a token is never called valid while revocations cannot be read", async (t) => {
  const { identity, post, token } = await startIdentity(t);
  const issued = await token();
  await identity.close();
  const answer = await post("/v1/tokens/verify", { token: issued });
  assert.equal(answer.statusCode, 500);
  assert.equal(answer.json().code, "INTERNAL");
});

const badSettings: readonly [name: string, value: string][] = [
  ["PORT", "70000"],
  ["ISSUER", "identity"],
  ["KEY_ROTATION_HOURS", "0"],
  ["KEY_PREPUBLISH_SECONDS", "300"],
  ["LOG_LEVEL", "loud"],
];
for (const [name, value] of badSettings) {
  test(`${name}=${value} stops the start with one line that names it`, () => {
    assert.throws(
      () => readSettings({ [name]: value }),
      new RegExp(`^ConfigError: ${name} is "${value}"; accepted: [^\n]+$`),
    );
  });
}
