import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./programs/service.ts", import.meta.url));

/** A real process; `says` resolves when a line holds a text, `ended` with exit code and signal. */
function startService(t: TestContext, start = "", close = "") {
  const child = spawn(process.execPath, [program, start, close], { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = once(child, "close");
  const says = async (text: string): Promise<void> => {
    while (!output.stdout.includes(`"msg":"${text}"`)) {
      assert.equal(child.exitCode, null, `it ended before it said "${text}": ${output.stdout}${output.stderr}`);
      await Promise.race([once(child.stdout, "data"), ended]);
    }
  };
  const messages = (): unknown[] =>
    output.stdout
      .trimEnd()
      .split("\n")
      .map((line) => Object(JSON.parse(line)).msg);
  return { child, output, ended, says, messages };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} closes the service and ends it with 0`, async (t) => {
    const { child, ended, says, messages, output } = startService(t);
    await says("it runs");
    child.kill(signal);
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(messages(), ["it runs", "stopping", "closing", "closed"]);
    assert.ok(output.stdout.includes(`"signal":"${signal}"`));
    assert.equal(output.stderr, "");
  });
}

test("a setting that stops the start ends it with 78 and one line without a stack", async (t) => {
  const { ended, output } = startService(t, "config-error");
  assert.deepEqual(await ended, [78, null]);
  assert.equal(output.stderr, 'PORT is "x"; accepted: a whole number from 0 to 65535\n');
  assert.equal(output.stdout, "");
});

test("any other error at the start ends it with 1 and says where", async (t) => {
  const { ended, output } = startService(t, "error");
  assert.deepEqual(await ended, [1, null]);
  assert.match(output.stderr, /^start failed: Error: the disk is gone\n {4}at .*service\.ts/);
});

test("what is thrown at the start and is no error ends it with 1, too", async (t) => {
  const { ended, output } = startService(t, "no-error");
  assert.deepEqual(await ended, [1, null]);
  assert.equal(output.stderr, "start failed: a text\n");
});

test("a close that fails is logged and ends it with 1", async (t) => {
  const { child, ended, says, output } = startService(t, "", "fails");
  await says("it runs");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [1, null]);
  assert.match(output.stdout, /"level":"error".*"cannot close".*"closing failed"/);
});

test("a second SIGTERM ends a close that hangs", async (t) => {
  const { child, ended, says } = startService(t, "", "hangs");
  await says("it runs");
  child.kill("SIGTERM");
  await says("closing");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, [1, null]);
});

test("an error that nobody caught is logged as fatal, closes the service and ends it with 1", async (t) => {
  const { ended, messages, output } = startService(t, "crash");
  assert.deepEqual(await ended, [1, null]);
  assert.deepEqual(messages(), ["it runs", "uncaught exception", "closing", "closed"]);
  assert.match(output.stdout, /"level":"fatal".*"nobody caught this"/);
});
