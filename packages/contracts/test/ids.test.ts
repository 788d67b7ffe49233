import assert from "node:assert/strict";
import { test } from "node:test";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import {
  DigestSchema,
  isDigest,
  isSessionId,
  isTenantId,
  isUserId,
  SessionIdSchema,
  TenantIdSchema,
  UserIdSchema,
} from "../src/ids.ts";

/** What no id may be, of whichever kind. */
const never = [
  "",
  " ",
  " a",
  "a ",
  "a b",
  "a\n",
  "\na",
  "a\u0000",
  "a/b",
  "../a",
  "..",
  ".a",
  "-a",
  "_a",
  "a\\b",
  'a"b',
  "a'b",
  "a;b",
  "a%2fb",
  "ä",
  "a\u200b",
  "🙂",
  "a,b",
  "a*",
  "${a}",
];

const kinds: readonly {
  readonly name: string;
  readonly is: (value: string) => boolean;
  readonly schema: TSchema;
  readonly max: number;
  readonly good: readonly string[];
  readonly bad: readonly string[];
}[] = [
  {
    name: "tenant",
    is: isTenantId,
    schema: TenantIdSchema,
    max: 64,
    good: ["a", "0", "tenant-demo", "A.b_c-9", "a..b", "session-x"],
    bad: ["a@b", "a:b", "a+b"],
  },
  {
    name: "user",
    is: isUserId,
    schema: UserIdSchema,
    max: 128,
    good: ["a", "ann@example.org", "auth0:4711", "ann+test@example.org", "a.b_c-d"],
    bad: ["@a", ":a", "+a", "a#b"],
  },
  {
    name: "session",
    is: isSessionId,
    schema: SessionIdSchema,
    max: 128,
    good: ["a", "sess-local", "session", "session.x", "Session-x", "SESSION-x", "a-session-", "0190f3a2-7c1e-7000"],
    bad: ["session-", "session-x", "session-session-x", "a@b", "a:b", "a+b"],
  },
];

for (const { name, is, schema, max, good, bad } of kinds) {
  test(`a ${name} id: schema and guard agree on what is one and what is none`, () => {
    for (const id of [...good, "x".repeat(max)]) {
      assert.ok(is(id), id);
      assert.ok(Value.Check(schema, id), id);
    }
    for (const id of [...never, ...bad, "x".repeat(max + 1)]) {
      assert.ok(!is(id), JSON.stringify(id));
      assert.ok(!Value.Check(schema, id), JSON.stringify(id));
    }
    for (const value of [undefined, null, 1, true, [], {}, ["a"]]) assert.ok(!Value.Check(schema, value));
  });
}

test("a digest is sha256: and 64 lowercase hex digits, and nothing else", () => {
  const good = `sha256:${"0123456789abcdef".repeat(4)}`;
  assert.ok(isDigest(good) && Value.Check(DigestSchema, good));
  for (const bad of [
    good.toUpperCase(),
    good.replace("sha256", "SHA256"),
    good.replace("sha256", "sha512"),
    good.slice(0, -1),
    `${good}0`,
    `${good}\n`,
    ` ${good}`,
    good.slice("sha256:".length),
    good.replace("f", "g"),
  ]) {
    assert.ok(!isDigest(bad), bad);
    assert.ok(!Value.Check(DigestSchema, bad), bad);
  }
});
