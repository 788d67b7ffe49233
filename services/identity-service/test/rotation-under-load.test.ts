import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { fastClock } from "./programs/fast-clock.ts";
import { makeDir, writeFiles } from "./start-identity.ts";

interface Instance {
  url: string;
  child: ChildProcess;
}

async function startInstance(t: TestContext, dir: string, since: number): Promise<Instance> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "programs/fast-identity.ts")], {
    env: {
      PATH: process.env["PATH"],
      DATA_DIR: dir,
      REGISTRY_FILE: join(dir, "registry.yaml"),
      PORT: "0",
      KEY_ROTATION_HOURS: "1",
      KEY_PREPUBLISH_SECONDS: "600",
      FAST_SINCE: String(since),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.exitCode ?? child.kill("SIGKILL"));
  for await (const url of createInterface({ input: child.stdout })) {
    child.stdout.resume();
    return { url, child };
  }
  throw new Error("ended before it listened");
}

/** What a client saw of one token. */
interface Seen {
  readonly token: string;
  readonly kid: string;
  readonly exp: number;
}

test("issuing and verifying go on while keys are rotated by command and by age and instances die: nothing valid is refused", async (t) => {
  const dir = makeDir(t);
  writeFiles(dir);
  const since = Date.now();
  const clock = fastClock(String(since));
  const nowSeconds = (): number => clock() / 1_000;
  const instances = [await startInstance(t, dir, since), await startInstance(t, dir, since)];
  const secret = readFileSync(join(dir, "credentials", "login"), "utf8");
  const seen: Seen[] = [];
  const refused: string[] = [];
  const count = { issued: 0, repeated: 0, verified: 0, broken: 0 };
  const end = new AbortController();

  /** Asks any instance until one answers: a connection that breaks is asked again elsewhere, an answer never. */
  async function ask(
    path: string,
    body: unknown,
    key?: string,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    for (;;) {
      const instance = instances[Math.floor(Math.random() * instances.length)];
      try {
        const headers = {
          "content-type": "application/json",
          authorization: `Bearer ${secret}`,
          ...(key !== undefined && { "idempotency-key": key }),
        };
        const answer = await fetch(`${String(instance?.url)}${path}`, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
        });
        return { status: answer.status, body: JSON.parse(await answer.text()) };
      } catch {
        count.broken += 1;
        await sleep(20);
      }
    }
  }

  /** Verifies while the token cannot have expired by the time of the answer. */
  async function verify({ token, kid, exp }: Seen): Promise<void> {
    const { status, body } = await ask("/v1/tokens/verify", { token });
    if (nowSeconds() >= exp) return;
    count.verified += 1;
    if (status !== 200 || body["valid"] !== true) refused.push(`${kid}: ${String(status)} ${JSON.stringify(body)}`);
  }

  async function client(): Promise<void> {
    const request = { user_id: "ann", tenant_id: "acme", capabilities: ["session.start"], ttl_seconds: 900 };
    while (!end.signal.aborted) {
      const key = randomUUID();
      const { status, body } = await ask("/v1/tokens/issue", request, key);
      if (status !== 200) {
        refused.push(`issue: ${String(status)}`);
        continue;
      }
      const token = String(body["token"]);
      const { exp = 0, jti } = decodeJwt(token);
      const one = { token, kid: String(decodeProtectedHeader(token).kid), exp };
      seen.push(one);
      count.issued += 1;
      await verify(one);
      // As one does whose answer was lost: it is the same token, whichever instance is asked and whatever key signs now.
      const again = await ask("/v1/tokens/issue", request, key);
      if (nowSeconds() < exp) {
        count.repeated += 1;
        if (again.status !== 200 || decodeJwt(String(again.body["token"])).jti !== jti)
          refused.push("another token for one key");
      }
      const older = seen[Math.max(0, seen.length - 1 - Math.floor(Math.random() * 200))];
      if (older) await verify(older);
      await sleep(10);
    }
  }

  async function replace(place: number): Promise<void> {
    const instance = instances[place];
    assert.ok(instance);
    const exited = once(instance.child, "exit");
    instance.child.kill("SIGKILL");
    await exited;
    instances[place] = await startInstance(t, dir, since);
  }

  /** Each key that is not published any more went after the last token that it signed. */
  const gone = new Set<string>();
  async function watchKeys(): Promise<void> {
    while (!end.signal.aborted) {
      for (const { url } of instances) {
        const before = nowSeconds();
        const answer = await fetch(`${url}/.well-known/jwks.json`).catch(() => undefined);
        if (!answer) continue;
        const { keys }: { keys: { kid: string }[] } = JSON.parse(await answer.text());
        const published = new Set(keys.map(({ kid }) => kid));
        for (const { kid, exp } of seen.slice()) {
          if (published.has(kid)) continue;
          if (exp + 60 > before) refused.push(`${kid} went before its last token`);
          gone.add(kid);
        }
      }
      await sleep(100);
    }
  }

  const working = [client(), client(), client(), client(), watchKeys()];
  await sleep(500);
  instances[0]?.child.kill("SIGUSR2");
  await sleep(1_500);
  await replace(0);
  const [first] = seen.map(({ kid }) => kid);
  const deadline = Date.now() + 60_000;
  const signers = (): Set<string> => new Set(seen.map(({ kid }) => kid));
  // The command's key, then the one that follows it by age; the death of an instance falls in between.
  while (signers().size < 2 && Date.now() < deadline) await sleep(100);
  await replace(1);
  while ((signers().size < 3 || !gone.has(String(first))) && Date.now() < deadline) await sleep(100);
  end.abort();
  await Promise.all(working);
  for (const { child } of instances) {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  t.diagnostic(JSON.stringify({ ...count, signers: signers().size }));
  assert.deepEqual(refused, []);
  assert.ok(signers().size >= 3, "two rotations took place");
  assert.ok(gone.has(String(first)), "the first key went");
  assert.ok(count.broken > 0, "no connection broke: nothing was killed under load");
  assert.ok(!readdirSync(join(dir, "keys")).includes("key-000001.json"));
  assert.ok(count.issued > 100 && count.repeated > 100 && count.verified > 100, JSON.stringify(count));
});
