import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { apiOf, demoSession } from "../harness/api.ts";
import { stackUnderTest } from "../harness/stack-under-test.ts";

const run = promisify(execFile);
const stack = stackUnderTest();
const api = apiOf(stack.urls.orchestrator);
const canary = `canary${randomBytes(8).toString("hex")}`;
/** What every JWT of ours begins with: `{"alg":"EdDSA"` in base64url. */
const jwt = /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}/;

async function runCanarySession(): Promise<string> {
  const session = demoSession(`Repeat this word: ${canary}`, { metadata: { note: canary } });
  await api.start(session);
  await api.ended(session.metadata.session_id);
  return session.metadata.session_id;
}

const ended = runCanarySession();

test("P6: no token stands in the workflow's input, state, result or history", async () => {
  const id = await ended;
  const { stdout } = await run(
    stack.temporalCli,
    ["workflow", "show", "--workflow-id", `session-${id}`, "-o", "json", "--address", stack.urls.temporal],
    { maxBuffer: 1e8 },
  );
  const texts: string[] = [stdout];
  JSON.parse(stdout, (_key, value: unknown) => {
    if (typeof value === "string") texts.push(Buffer.from(value, "base64").toString("utf8"));
    return value;
  });
  // The test would see a token: the sealed one is there, and so is the prompt.
  assert.ok(texts.some((text) => text.includes('"sealed"')));
  assert.ok(texts.some((text) => text.includes(canary)));
  assert.ok(!texts.some((text) => jwt.test(text)), "a token is in the history");
});

test("P7, P8: no token, prompt or completion stands in the ledger's events", async () => {
  const id = await ended;
  const events = JSON.stringify(await api.events(id));
  const { result } = await api.view(id);
  assert.ok(result && events.includes(result.text_digest));
  assert.ok(!events.includes(canary));
  assert.ok(!jwt.test(events));
  if (result.text.length > 12) assert.ok(!events.includes(JSON.stringify(result.text).slice(1, -1)));
});

test("P9: no prompt and no token stands in any log of any part, and none in a metric", async () => {
  await ended;
  for (const [part, file] of Object.entries(stack.logFiles)) {
    const log = readFileSync(file, "utf8");
    assert.ok(!log.includes(canary), `the prompt is in the log of ${part}`);
    assert.ok(!jwt.test(log), `a token is in the log of ${part}`);
  }
  for (const part of ["orchestrator", "policy-engine", "identity-service"] as const) {
    const metrics = await (await fetch(`${stack.urls[part]}/metrics`)).text();
    assert.match(metrics, /soma_http_request_duration_seconds/);
    assert.ok(!metrics.includes(canary) && !metrics.includes("tenant-demo") && !metrics.includes("user-demo"));
  }
});

test("a failed session's history names the code and the public text, and no file of the machine", async () => {
  const session = demoSession("Say one word.", { model: "no-such-model" });
  await api.start(session);
  const view = await api.ended(session.metadata.session_id);
  assert.equal(view.error?.code, "MODEL_NOT_FOUND");
  const workflow = `session-${session.metadata.session_id}`;
  const show = ["workflow", "show", "-o", "json", "--address", stack.urls.temporal, "--workflow-id", workflow];
  const { stdout } = await run(stack.temporalCli, show);
  assert.match(stdout, /MODEL_NOT_FOUND/);
  assert.doesNotMatch(stdout, /\.ts:|\.js:|file:\/\//);
});
