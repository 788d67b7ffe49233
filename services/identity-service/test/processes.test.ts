import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { makeDir, writeFiles } from "./start-identity.ts";

const entry = (name: string): string => join(import.meta.dirname, "../src", name);
const environment = (dir: string) => ({
  PATH: process.env["PATH"],
  DATA_DIR: dir,
  REGISTRY_FILE: join(dir, "registry.yaml"),
  PORT: "0",
});

async function startProcess(t: TestContext, dir: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [entry("main.ts")], {
    env: environment(dir),
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.exitCode ?? child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, url } = JSON.parse(line);
    if (msg === "listening") {
      child.stdout.resume();
      return { url, child };
    }
  }
  throw new Error("ended before it listened");
}

async function post(url: string, body: unknown, authorization?: string) {
  const headers = { "content-type": "application/json", ...(authorization !== undefined && { authorization }) };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return JSON.parse(await answer.text());
}

test("two real processes on one DATA_DIR are one service: keys, credentials and revocations", async (t) => {
  const dir = makeDir(t);
  writeFiles(dir);
  const [first, second] = await Promise.all([startProcess(t, dir), startProcess(t, dir)]);
  const secret = readFileSync(join(dir, "credentials", "login"), "utf8");
  const request = { user_id: "ann", tenant_id: "acme", capabilities: ["session.start"] };
  const { token } = await post(`${first.url}/v1/tokens/issue`, request, `Bearer ${secret}`);
  assert.equal((await post(`${second.url}/v1/tokens/verify`, { token })).valid, true);
  assert.deepEqual(await post(`${second.url}/v1/tokens/revoke`, { token }), { revoked: true });
  assert.deepEqual(await post(`${first.url}/v1/tokens/verify`, { token }), { valid: false });
  assert.equal((await fetch(`${first.url}/ready`)).status, 200);

  const rotated = spawnSync(process.execPath, [entry("rotate-keys.ts")], { env: environment(dir), encoding: "utf8" });
  assert.match(rotated.stdout, /^key [\w-]{43} is published and signs from \d{4}-/);
  for (const { child } of [first, second]) {
    child.kill("SIGTERM");
    const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
    assert.equal(code, 0);
  }

  chmodSync(join(dir, "keys", "key-000001.json"), 0o644);
  const refused = spawnSync(process.execPath, [entry("main.ts")], { env: environment(dir), encoding: "utf8" });
  assert.equal(refused.status, 78);
  assert.match(refused.stderr, /^[^\n]*key-000001\.json can be read by others[^\n]*\n$/);
});
