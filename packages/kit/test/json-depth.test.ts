import assert from "node:assert/strict";
import { test } from "node:test";
import { DomainError } from "../src/domain-error.ts";
import { assertDepth } from "../src/json-depth.ts";

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? { a: value } : [value];
  return value;
}

test("objects and lists are counted as levels, to the very bound", () => {
  for (const limit of [1, 2, 8]) {
    assertDepth(nested(limit), limit);
    assert.throws(() => assertDepth(nested(limit + 1), limit), { name: "DomainError", code: "VALIDATION_FAILED" });
  }
  for (const value of [undefined, null, 1, "a", true, {}, []]) assertDepth(value, 1);
});

test("the refusal names the place of the first value that is too deep, from where the body begins", () => {
  assert.throws(
    () => assertDepth({ ok: { ok: 1 }, bad: { worse: { worst: 1 } } }, 2, "/metadata"),
    (error) => {
      assert.ok(error instanceof DomainError);
      assert.equal(error.message, "/metadata/bad/worse: is nested deeper than 2 levels.");
      assert.deepEqual(error.fields, [{ pointer: "/metadata/bad/worse", detail: "is nested deeper than 2 levels" }]);
      return true;
    },
  );
});

test("long keys are cut in the refusal", () => {
  assert.throws(
    () => assertDepth({ ["k".repeat(10_000)]: {} }, 1),
    (error) => error instanceof DomainError && error.message.length < 150,
  );
});

test("depth cannot exhaust the stack", () => {
  assert.throws(() => assertDepth(nested(200_000), 8), { code: "VALIDATION_FAILED" });
  assertDepth(nested(200_000), 200_000);
});
