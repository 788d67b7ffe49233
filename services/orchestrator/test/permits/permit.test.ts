import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { GovernedAction, Permit } from "@soma/contracts/permit";
import * as fc from "fast-check";
import { actionDigest, checkPermit, effectKeyOf, signPermit } from "../../src/permits/permit.ts";
import { sessionId, tenantId } from "../harness/ids.ts";
import { code } from "../ledger/refusal.ts";

const key = randomBytes(32);
const now = new Date("2026-03-01T12:00:00.000Z");
const step = { tenant: tenantId("tenant-a"), session_id: sessionId("sess-1"), step: "completion-1" };
const action: GovernedAction = {
  action: "model.complete",
  resource: "model:default",
  arguments: { prompt_digest: `sha256:${"a".repeat(64)}`, limit: 10, stream: true },
};

function permitFor(changes: Partial<Omit<Permit, "mac">> = {}, signingKey: Uint8Array = key): Permit {
  return signPermit(signingKey, {
    ...step,
    round: 1,
    effect_key: effectKeyOf(step),
    action_digest: actionDigest(action),
    decision_id: "decision-1",
    policy_version: "v1",
    expires_at: "2026-03-01T12:01:00.000Z",
    ...changes,
  });
}

test("a permit holds for its own action before its time is over", () => {
  const permit = permitFor();
  assert.deepEqual(checkPermit(key, permit, action, now), permit);
  const limited = permitFor({ max_output_tokens: 5, round: 7 });
  assert.deepEqual(checkPermit(key, limited, action, now), limited);
  // As it comes back from Temporal's history.
  assert.deepEqual(checkPermit(key, JSON.parse(JSON.stringify(permit)), action, now), permit);
});

const anyText = fc.string({ unit: "binary", maxLength: 80 });
const anyField = fc.constantFrom(...Object.keys(permitFor({ max_output_tokens: 5 })));
const anyValue = fc.oneof(
  anyText,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom<unknown>(null, undefined, [], {}, ["tenant-a"]),
);

test("any field of a permit that is changed, added or left out voids it", () => {
  const permit: Record<string, unknown> = { ...permitFor({ max_output_tokens: 5 }) };
  fc.assert(
    fc.property(anyField, anyValue, (field, value) => {
      fc.pre(value !== permit[field]);
      assert.throws(() => checkPermit(key, { ...permit, [field]: value }, action, now), code("PERMIT_INVALID"));
    }),
    { numRuns: 1_000 },
  );
  for (const field of Object.keys(permit)) {
    const { [field]: _left, ...rest } = permit;
    assert.throws(() => checkPermit(key, rest, action, now), code("PERMIT_INVALID"), `without ${field}`);
  }
  fc.assert(
    fc.property(anyText, anyValue, (field, value) => {
      fc.pre(!(field in permit) && field !== "__proto__");
      assert.throws(() => checkPermit(key, { ...permit, [field]: value }, action, now), code("PERMIT_INVALID"));
    }),
  );
});

test("a text that is nearly that of a signed field voids the permit, too", () => {
  const permit = permitFor();
  for (const changed of [
    { ...permit, mac: `${permit.mac}=` },
    { ...permit, mac: permit.mac.toUpperCase() },
    { ...permit, mac: permit.mac.slice(0, -1) },
    { ...permit, mac: "" },
    { ...permit, expires_at: "2026-03-01T12:01:00.001Z" },
    { ...permit, expires_at: "2026-03-01T12:01:00Z" },
    { ...permit, round: 2 },
    { ...permit, max_output_tokens: 1 },
    { ...permit, tenant: "tenant-b" },
    // Half a surrogate pair: what has no canonical form was never signed.
    { ...permit, step: "\ud800" },
    { ...permit, mac: "\ud800" },
    { ...permit, decision_id: `${permit.decision_id}\udc00` },
  ])
    assert.throws(() => checkPermit(key, changed, action, now), code("PERMIT_INVALID"));
});

test("what is no permit at all is refused", () => {
  for (const value of [undefined, null, "", "permit", 1, true, [], {}, { mac: "" }, [permitFor()]])
    assert.throws(() => checkPermit(key, value, action, now), code("PERMIT_INVALID"));
});

test("a permit of another key is refused, whichever", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (other) => {
      fc.pre(Buffer.compare(other, key) !== 0);
      assert.throws(() => checkPermit(key, permitFor({}, other), action, now), code("PERMIT_INVALID"));
    }),
  );
});

test("a permit holds for no other action: one byte of it changed is another", () => {
  const permit = permitFor();
  const others: readonly GovernedAction[] = [
    { ...action, action: "model.embed" },
    { ...action, resource: "model:another" },
    { ...action, arguments: {} },
    { ...action, arguments: { ...action.arguments, limit: 11 } },
    { ...action, arguments: { ...action.arguments, limit: "10" } },
    { ...action, arguments: { ...action.arguments, stream: false } },
    { ...action, arguments: { ...action.arguments, more: 1 } },
    { ...action, arguments: { ...action.arguments, prompt_digest: `sha256:${"a".repeat(63)}b` } },
  ];
  for (const other of others)
    assert.throws(() => checkPermit(key, permit, other, now), code("PERMIT_INVALID"), JSON.stringify(other));
  for (const other of [undefined, null, 1, "model.complete", { arguments: { prompt: "\ud800" } }])
    assert.throws(
      () => Reflect.apply(checkPermit, undefined, [key, permit, other, now]),
      code("PERMIT_INVALID"),
      JSON.stringify(other),
    );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())), (arguments_) => {
      const other = { ...action, arguments: arguments_ };
      fc.pre(actionDigest(other) !== actionDigest(action));
      assert.throws(() => checkPermit(key, permit, other, now), code("PERMIT_INVALID"));
    }),
  );
  // The order of its members is none of its bytes.
  const { resource, ...rest } = action;
  const turned = Object.fromEntries(Object.entries(action.arguments).toReversed());
  checkPermit(key, permit, { resource, ...rest, arguments: turned }, now);
});

test("a permit whose effect key is not that of its step is refused, though a worker signed it", () => {
  const permit = permitFor({ effect_key: effectKeyOf({ ...step, step: "completion-2" }) });
  assert.throws(() => checkPermit(key, permit, action, now), code("PERMIT_INVALID"));
});

test("a permit holds to the last millisecond before its expiry, and not at it", () => {
  const permit = permitFor();
  const at = (time: string): unknown => checkPermit(key, permit, action, new Date(time));
  at("2026-03-01T12:00:59.999Z");
  assert.throws(() => at("2026-03-01T12:01:00.000Z"), code("PERMIT_EXPIRED"));
  assert.throws(() => at("2026-03-02T00:00:00.000Z"), code("PERMIT_EXPIRED"));
});

test("an expiry that is no time counts as passed", () => {
  for (const expires_at of ["", "soon", "9999", "Infinity"].filter((text) => Number.isNaN(Date.parse(text))))
    assert.throws(() => checkPermit(key, permitFor({ expires_at }), action, now), code("PERMIT_EXPIRED"));
  assert.throws(() => checkPermit(key, permitFor(), action, new Date(Number.NaN)), code("PERMIT_EXPIRED"));
});

test("an expired permit that was also tampered with is invalid first: nobody learns when it would have ended", () => {
  const late = new Date("2027-01-01T00:00:00.000Z");
  assert.throws(() => checkPermit(key, { ...permitFor(), round: 2 }, action, late), code("PERMIT_INVALID"));
  assert.throws(
    () => checkPermit(key, permitFor(), { ...action, resource: "model:another" }, late),
    code("PERMIT_INVALID"),
  );
});

const part = fc.string({ minLength: 1, maxLength: 12 });

/** Ids that are checked cannot hold a colon; the key does not rely on it. */
function keyOf(tenant: string, session: string, name: string): unknown {
  return Reflect.apply(effectKeyOf, undefined, [{ tenant, session_id: session, step: name, round: 3, attempt: 9 }]);
}

test("the effect key hangs on tenant, session and step alone, and their borders cannot be moved", () => {
  assert.equal(keyOf("tenant-a", "sess-1", "completion-1"), effectKeyOf(step));
  fc.assert(
    fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (one, other) => {
      assert.equal(keyOf(...one) === keyOf(...other), JSON.stringify(one) === JSON.stringify(other));
    }),
  );
  fc.assert(
    fc.property(part, part, part, (a, b, c) => {
      assert.notEqual(keyOf(a + b, c, "s"), keyOf(a, b + c, "s"));
      assert.notEqual(keyOf("t", a + b, c), keyOf("t", a, b + c));
    }),
  );
});
