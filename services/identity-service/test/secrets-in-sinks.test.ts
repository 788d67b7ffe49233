import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withOtherSignature } from "../../../packages/kit/test/forged-token.ts";
import { startIdentity } from "./start-identity.ts";

test("P9: no code, token or service secret reaches a log line, a metric, the database or an error's body", async (t) => {
  const running = await startIdentity(t);
  const { app, clock, codeAt, dir, identity, issue, lines, post, secretOf, token, totpSecret, verify } = running;
  const codes = [codeAt(), codeAt(1), "918273", "64738291"];
  const refused: string[] = [];
  for (const code of ["918273", "64738291", codeAt()])
    refused.push((await issue({ user_id: "mia", mfa_code: code, capabilities: ["session.start"] })).body);
  const minted = String(JSON.parse(refused.pop() ?? "{}").token);
  assert.equal((await verify(minted)).valid, true);
  clock.nowMs += 30_000;
  refused.push((await issue({ user_id: "mia", mfa_code: codes[0] })).body);

  const tokens = [minted, await token()];
  const changed = withOtherSignature(minted);
  await verify(changed);
  await post("/v1/tokens/revoke", { token: tokens[1] });
  // Wrong places and wrong forms: secrets in a query, in an unknown field, in broken JSON, under another scheme.
  const secret = secretOf("login");
  refused.push((await app.inject(`/v1/tokens/verify?token=${minted}`)).body);
  refused.push((await issue({ mfa_code: `${String(codes[2])}x` })).body);
  refused.push((await issue({ nope: secret })).body);
  refused.push((await post("/v1/tokens/verify", { token: `${minted}${"x".repeat(8_192)}` })).body);
  const headers = { "content-type": "application/json", authorization: `Basic ${secret}` };
  refused.push((await app.inject({ method: "POST", url: "/v1/tokens/issue", headers, body: `{"t":"${minted}` })).body);

  const files = readdirSync(dir, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.startsWith("identity.sqlite"),
  );
  const sinks = [
    ...lines,
    ...refused,
    await identity.metrics.registry.metrics(),
    ...files.map(({ name }) => readFileSync(join(dir, name), "latin1")),
  ];
  assert.ok(lines.length > 10 && files.length > 0);
  const canaries = [...tokens, changed, ...tokens.map((text) => String(text.split(".")[2])), secret, totpSecret];
  for (const canary of canaries)
    for (const sink of sinks) assert.ok(!sink.includes(canary), `found a secret in: ${sink.slice(0, 200)}`);
  for (const code of codes) {
    // Six digits also occur by chance inside longer numbers, digests and ids; those are not the code.
    const alone = new RegExp(`(?<![0-9a-f.-])${code}(?![0-9a-f.-])`);
    for (const sink of sinks) assert.ok(!alone.test(sink), `found a code in: ${sink.slice(0, 200)}`);
  }
});
