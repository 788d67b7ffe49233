import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestLog } from "./log-lines.ts";

/** One per class of secret; none of them may ever be in a line. */
const canaries = {
  prompt: "canary-prompt-4711",
  completion: "canary-completion-4711",
  token: "canary-token-4711",
  authorization: "Bearer canary-bearer-4711",
  mfa_code: "canary-code-4711",
  body: { text: "canary-body-4711" },
  headers: { cookie: "canary-cookie-4711" },
  metadata: { note: ["canary-note-4711"] },
};
const canary = /canary-[a-z]+-4711/;

test("a field that is not listed is dropped and counted, and its text is in no line", () => {
  const { log, lines, text } = createTestLog();
  log.info({ ...canaries, tenant: "t1", status: 200 }, "request");
  assert.ok(!canary.test(text()), text());
  const [line] = lines();
  assert.equal(line?.["tenant"], "t1");
  assert.equal(line["status"], 200);
  assert.equal(line["dropped"], Object.keys(canaries).length);
  assert.deepEqual(Object.keys(line), ["level", "time", "service", "tenant", "status", "dropped", "msg"]);
});

test("a line of listed fields alone counts nothing", () => {
  const { log, lines } = createTestLog();
  log.warn({ session_id: "s", step: "completion-1", attempt: 2 }, "again");
  assert.deepEqual(Object.keys(lines()[0] ?? {}), ["level", "time", "service", "session_id", "step", "attempt", "msg"]);
});

test("an object or list under a listed name is dropped with all that is in it", () => {
  const { log, lines, text } = createTestLog();
  log.info({ reason: { prompt: canaries.prompt }, url: [canaries.token], tenant: "t1" }, "nested");
  assert.ok(!canary.test(text()), text());
  assert.equal(lines()[0]?.["dropped"], 2);
});

test("fields named like a line's own cannot take their place", () => {
  const { log, lines } = createTestLog();
  log.info({ level: "fatal", time: "never", service: "another", msg: "another", dropped: -1, pid: 7 }, "mine");
  const [line] = lines();
  assert.equal(line?.["level"], "info");
  assert.equal(line["service"], "test");
  assert.equal(line["msg"], "mine");
  assert.equal(line["dropped"], 5);
  assert.equal(line["pid"], 7);
});

test("a child logger, whose bindings no list would bound, is refused", () => {
  const { log, text } = createTestLog();
  assert.throws(() => log.child({ prompt: canaries.prompt }), TypeError);
  assert.equal(text(), "");
});

test("requests and responses of Node, and objects with a form of their own, are dropped", () => {
  const { log, lines, text } = createTestLog();
  log.info({ method: "GET", headers: canaries.headers, socket: {} }, "a request");
  log.info({ setHeader: () => undefined, token: canaries.token }, "a response");
  log.info({ toJSON: () => canaries }, "its own form");
  assert.ok(!canary.test(text()), text());
  assert.deepEqual(
    lines().map((line) => line["dropped"]),
    [1, 1, 1],
  );
});

test("an error is told by name, code, message and stack; what libraries hang on it stays out", () => {
  const { log, lines, text } = createTestLog();
  const error = Object.assign(new TypeError("no answer"), {
    code: "ECONNREFUSED",
    body: canaries.body,
    request: { headers: canaries.headers },
  });
  log.error({ err: error }, "failed");
  assert.ok(!canary.test(text()), text());
  const err = Object(lines()[0]?.["err"]);
  assert.deepEqual(Object.keys(err), ["name", "code", "message", "stack"]);
  assert.equal(err.name, "TypeError");
  assert.equal(err.code, "ECONNREFUSED");
  assert.equal(err.message, "no answer");
  assert.match(err.stack, /^\n {4}at .*logger\.test\.ts/);
});

test("the texts of an error are bounded, also when it is logged without words of the caller", () => {
  const { log, lines, text } = createTestLog();
  const long = new Error("x".repeat(10_000));
  long.stack = `Error: ${long.message}\n    at ${"y".repeat(10_000)}`;
  log.error({ err: long }, "with words");
  log.error({ err: long });
  log.error(long);
  for (const line of lines()) {
    const err = Object(line["err"]);
    assert.equal(err.message.length, 300);
    assert.equal(err.stack.length, 1_500);
    assert.ok(String(line["msg"]).length < 100, String(line["msg"]));
  }
  assert.equal(lines().length, 3);
  assert.ok(!text().includes("x".repeat(301)));
});

test("causes are told down to a bound, also of an error that is its own cause", () => {
  const { log, lines } = createTestLog();
  const inner = new RangeError("inner");
  log.error({ err: new Error("outer", { cause: inner }) }, "nested");
  const circle = new Error("circle");
  circle.cause = circle;
  log.error({ err: circle }, "in a circle");
  const [nested, round] = lines().map((line) => Object(line["err"]));
  assert.equal(nested.cause.name, "RangeError");
  assert.equal(nested.cause.message, "inner");
  let depth = 0;
  for (let at = round; at.cause !== undefined; at = at.cause) depth += 1;
  assert.equal(depth, 5);
});

test("what is thrown and is no error, and a cause that is none, say only what they are", () => {
  const { log, lines, text } = createTestLog();
  log.error({ err: canaries.body }, "an object");
  log.error({ err: canaries.prompt }, "a text");
  log.error({ err: new Error("outer", { cause: canaries.prompt }) }, "a cause");
  assert.ok(!canary.test(text()), text());
  const errors = lines().map((line) => Object(line["err"]));
  assert.deepEqual(errors[0], { name: "NotAnError", message: "object" });
  assert.deepEqual(errors[1], { name: "NotAnError", message: "string" });
  assert.deepEqual(errors[2].cause, { name: "NotAnError", message: "string" });
});

test("the level bounds what is written, and silent writes nothing", () => {
  const warn = createTestLog("warn");
  warn.log.info("quiet");
  warn.log.warn("loud");
  assert.deepEqual(
    warn.lines().map((line) => line["msg"]),
    ["loud"],
  );
  const silent = createTestLog("silent");
  silent.log.fatal("gone");
  assert.equal(silent.text(), "");
});
