import assert from "node:assert/strict";
import { STATUS_CODES } from "node:http";
import { test } from "node:test";
import { Value } from "typebox/value";
import { errors, isErrorCode, nonRetryableCodes, stepEndingCodes } from "../src/error-codes.ts";
import { ErrorCodeSchema, Problem } from "../src/problem.ts";

const rows = Object.entries(errors);

test("every code is UPPER_SNAKE with a status of a failure, a retry and a title of its own", () => {
  assert.ok(rows.length > 30);
  for (const [code, { status, retry, title }] of rows) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.ok(status >= 400 && status <= 599, `${code}: ${String(status)}`);
    assert.ok(STATUS_CODES[status] !== undefined, `${code}: ${String(status)}`);
    assert.ok(retry === "never" || retry === "backoff", code);
    assert.match(title, /^[A-Z].*[^.]$/, code);
  }
  assert.equal(new Set(rows.map(([, { title }]) => title)).size, rows.length, "two codes have one title");
});

test("what may be repeated has a status that says so, and no other has", () => {
  // Not the request but the step's token was refused: the same token never will do, a new decision brings another.
  const exceptions = new Set(["MODEL_TOKEN_REFUSED", "MEMORY_TOKEN_REFUSED"]);
  for (const [code, { status, retry }] of rows.filter(([each]) => !exceptions.has(each))) {
    if (status === 503 || status === 429 || status === 408 || status === 500) assert.equal(retry, "backoff", code);
    if ([400, 401, 403, 404, 413, 414, 415, 422, 431].includes(status)) assert.equal(retry, "never", code);
  }
});

test("a step ends with what never succeeds and with a used-up day; a suspension alone is waited for", () => {
  const [ending, never] = [stepEndingCodes(), nonRetryableCodes()];
  assert.deepEqual(
    never.filter((code) => !ending.includes(code)),
    ["TENANT_SUSPENDED"],
  );
  assert.deepEqual(
    ending.filter((code) => !never.includes(code)),
    ["QUOTA_EXCEEDED", "QUEUE_FULL"],
  );
});

test("the codes that no retry policy repeats are those with retry never", () => {
  const never = rows.filter(([, { retry }]) => retry === "never").map(([code]) => code);
  assert.deepEqual(nonRetryableCodes(), never);
  assert.ok(never.includes("POLICY_DENIED") && never.includes("PERMIT_INVALID"));
  assert.ok(!never.includes("POLICY_UNAVAILABLE"));
});

test("only the closed set is a code", () => {
  for (const [code] of rows) {
    assert.ok(isErrorCode(code));
    assert.ok(Value.Check(ErrorCodeSchema, code));
  }
  for (const text of ["", "NOPE", "internal", "toString", "__proto__", "constructor", "hasOwnProperty"]) {
    assert.ok(!isErrorCode(text), text);
    assert.ok(!Value.Check(ErrorCodeSchema, text), text);
  }
});

test("a problem without code, status or request id is none", () => {
  const problem = {
    type: "urn:soma:problem:internal",
    title: "The service failed",
    status: 500,
    detail: "x",
    code: "INTERNAL",
    request_id: "r",
  };
  assert.ok(Value.Check(Problem, problem));
  for (const field of Object.keys(problem)) assert.ok(!Value.Check(Problem, { ...problem, [field]: undefined }), field);
  assert.ok(!Value.Check(Problem, { ...problem, code: "NOPE" }));
});
