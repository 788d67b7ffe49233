import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { canonicalJson, digestOf, digestOfParts, sha256 } from "../src/digest.ts";

test("RFC 8785, section 3.2.2: the sample of the specification comes out byte for byte", () => {
  const input: unknown = JSON.parse(
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
  );
  assert.equal(
    canonicalJson(input),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test("RFC 8785, section 3.2.3: members are sorted by UTF-16 code units", () => {
  const input: unknown = JSON.parse(
    String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
  );
  const order = Object.values(Object(JSON.parse(canonicalJson(input))));
  // JSON.parse keeps the written order, but for the key that is an index.
  assert.deepEqual(order, [
    "One",
    "Carriage Return",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
  ]);
  assert.ok(canonicalJson(input).startsWith('{"\\r":'));
});

const numbers: readonly [bits: string, text: string][] = [
  ["0000000000000000", "0"],
  ["8000000000000000", "0"],
  ["0000000000000001", "5e-324"],
  ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"],
  ["4340000000000000", "9007199254740992"],
  ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"],
  ["44b52d02c7e14af6", "1e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"],
  ["3eb0c6f7a0b5ed8d", "0.000001"],
  ["41b3de4355555555", "333333333.3333333"],
  ["becbf647612f3696", "-0.0000033333333333333333"],
  ["43143ff3c1cb0959", "1424953923781206.2"],
];

test("RFC 8785, appendix B: numbers are written as ECMAScript writes them", () => {
  for (const [bits, text] of numbers) assert.equal(canonicalJson(Buffer.from(bits, "hex").readDoubleBE()), text, bits);
});

test("what JSON cannot carry is a TypeError and not a guess", () => {
  for (const value of [
    undefined,
    () => 1,
    Symbol("s"),
    1n,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    "\ud800",
    "\udc00 alone",
    { "\ud800": 1 },
    { deep: [{ value: Number.NaN }] },
  ]) {
    assert.throws(() => canonicalJson(value), TypeError);
    assert.throws(() => digestOf(value), TypeError);
  }
});

test("a member that is undefined is left out, as if it had never been there", () => {
  assert.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}');
  assert.equal(digestOf({ b: undefined, a: 1 }), digestOf({ a: 1 }));
});

test("the order of keys never matters, at any depth", () => {
  const shuffled = (value: unknown, random: () => number): unknown => {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, random));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map((entry) => ({ entry, at: random() }));
    return Object.fromEntries(
      entries.toSorted((a, b) => a.at - b.at).map(({ entry: [key, member] }) => [key, shuffled(member, random)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (value, stream) => {
      const random = (): number => stream.next().value;
      assert.equal(canonicalJson(shuffled(value, random)), canonicalJson(value));
      assert.equal(digestOf(shuffled(value, random)), digestOf(value));
    }),
  );
});

test("the canonical form is JSON of the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      // -0 is written as 0.
      const expected: unknown = JSON.parse(JSON.stringify(value));
      assert.deepEqual(JSON.parse(canonicalJson(value)), expected);
    }),
  );
});

test("different values have different digests", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      fc.pre(canonicalJson(one) !== canonicalJson(other));
      assert.notEqual(digestOf(one), digestOf(other));
    }),
  );
});

test("a digest is sha256: and 64 hex digits over the UTF-8 bytes", () => {
  assert.equal(sha256(""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(sha256("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(sha256("é"), sha256(new Uint8Array([0xc3, 0xa9])));
  assert.equal(digestOf({ b: 1, a: [true] }), sha256('{"a":[true],"b":1}'));
});

test("the borders of parts cannot be moved", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), fc.array(fc.string({ unit: "binary" })), (one, other) => {
      // Lone surrogates are no valid UTF-8 and fall together; ids never hold one.
      const wellFormed = [...one, ...other].every((part) => part.isWellFormed());
      fc.pre(wellFormed && JSON.stringify(one) !== JSON.stringify(other));
      assert.notEqual(digestOfParts(...one), digestOfParts(...other));
    }),
  );
  const moved = [
    ["ab", "c"],
    ["a", "bc"],
    ["abc"],
    ["abc", ""],
    ["", "abc"],
    ["2:ab", "c"],
    ["a", "1:b", "c"],
    ["a1:b", "c"],
  ].map((parts) => digestOfParts(...parts));
  assert.equal(new Set(moved).size, moved.length);
});

test("lengths of parts are counted in bytes", () => {
  const expected = createHash("sha256").update("2:é1:a").digest("hex");
  assert.equal(digestOfParts("é", "a"), `sha256:${expected}`);
});
