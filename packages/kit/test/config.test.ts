import assert from "node:assert/strict";
import { test } from "node:test";
import { Type } from "typebox";
import { accepted, ConfigError, readConfig } from "../src/config.ts";

const schema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 10_001 }),
  MODE: Type.String({ enum: ["required", "loopback"], default: "required" }),
  NAME: Type.String({ pattern: "^[a-z]+$" }),
  LOUD: Type.Boolean({ default: false }),
  BASE: Type.Optional(Type.String({ pattern: "^https?://[^@]+$", accepted: "an http:// or https:// URL" })),
  SECRET: Type.Optional(Type.String({ writeOnly: true, pattern: "^[0-9]{4}$", accepted: "four digits" })),
  DEPTH: Type.Optional(Type.Integer({ minimum: 1 })),
});
const good = { NAME: "soma" };

const refused: readonly [title: string, environment: Record<string, string>, message: string][] = [
  ["a port that is a word", { PORT: "http" }, 'PORT is "http"; accepted: a whole number from 0 to 65535'],
  ["a port above the range", { PORT: "65536" }, 'PORT is "65536"; accepted: a whole number from 0 to 65535'],
  ["a port below the range", { PORT: "-1" }, 'PORT is "-1"; accepted: a whole number from 0 to 65535'],
  ["a fraction", { PORT: "1.5" }, 'PORT is "1.5"; accepted: a whole number from 0 to 65535'],
  ["an exponent", { PORT: "1e3" }, 'PORT is "1e3"; accepted: a whole number from 0 to 65535'],
  ["a hexadecimal number", { PORT: "0x10" }, 'PORT is "0x10"; accepted: a whole number from 0 to 65535'],
  ["a number with a space", { PORT: " 80" }, 'PORT is " 80"; accepted: a whole number from 0 to 65535'],
  [
    "a number of many digits",
    { PORT: "1".repeat(20) },
    `PORT is "${"1".repeat(20)}"; accepted: a whole number from 0 to 65535`,
  ],
  ["a value outside a closed set", { MODE: "off" }, 'MODE is "off"; accepted: required, loopback'],
  ["another case of a closed set", { MODE: "Required" }, 'MODE is "Required"; accepted: required, loopback'],
  ["a flag of 1", { LOUD: "1" }, 'LOUD is "1"; accepted: true or false'],
  ["a flag of yes", { LOUD: "yes" }, 'LOUD is "yes"; accepted: true or false'],
  ["a text that does not match", { NAME: "Soma" }, 'NAME is "Soma"; accepted: text matching ^[a-z]+$'],
  ["a text of two lines", { NAME: "a\nb" }, 'NAME is "a\\nb"; accepted: text matching ^[a-z]+$'],
  ["a URL of another scheme", { BASE: "ftp://x" }, 'BASE is "ftp://x"; accepted: an http:// or https:// URL'],
  ["an open upper bound", { DEPTH: "0" }, 'DEPTH is "0"; accepted: a whole number from 1 to any'],
];

for (const [title, environment, message] of refused) {
  test(`${title} stops the start with one line that names variable, found and accepted`, () => {
    assert.throws(
      () => readConfig(schema, { ...good, ...environment }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.message, message);
        assert.ok(!error.message.includes("\n"));
        return true;
      },
    );
  });
}

test("a required variable that is missing or empty is named with what it accepts", () => {
  for (const environment of [{}, { NAME: "" }]) {
    assert.throws(() => readConfig(schema, environment), {
      name: "ConfigError",
      message: "NAME is not set; accepted: text matching ^[a-z]+$",
    });
  }
});

test("a secret that does not fit is never shown", () => {
  assert.throws(() => readConfig(schema, { ...good, SECRET: "canary-secret" }), {
    name: "ConfigError",
    message: "SECRET is <hidden>; accepted: four digits",
  });
});

test("credentials in a URL are never shown, in whichever variable they stand", () => {
  for (const url of [
    "http://user:canary@host/",
    "https://canary@host",
    "http://user:can/ary@host",
    "x\nhttp://u:canary@h",
  ]) {
    assert.throws(
      () => readConfig(schema, { ...good, BASE: url }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.ok(!/can|ary/.test(error.message), error.message);
        assert.match(error.message, /^BASE is ".*<hidden>@.*"; accepted: an http:\/\/ or https:\/\/ URL$/);
        return true;
      },
    );
  }
});

test("what is unset or empty takes its default, and an optional variable stays away", () => {
  const defaults = { PORT: 10_001, MODE: "required", NAME: "soma", LOUD: false };
  assert.deepEqual(readConfig(schema, good), defaults);
  const empty = { PORT: "", MODE: "", LOUD: "", BASE: "", SECRET: "", DEPTH: "" };
  assert.deepEqual(readConfig(schema, { ...good, ...empty }), defaults);
});

test("what is set is read as its type, to the edges of its range", () => {
  const environment = { NAME: "a", PORT: "65535", MODE: "loopback", LOUD: "true", SECRET: "1234", DEPTH: "1" };
  assert.deepEqual(readConfig(schema, environment), {
    NAME: "a",
    PORT: 65_535,
    MODE: "loopback",
    LOUD: true,
    SECRET: "1234",
    DEPTH: 1,
  });
  assert.equal(readConfig(schema, { ...good, PORT: "0" }).PORT, 0);
  assert.equal(readConfig(schema, { ...good, LOUD: "false" }).LOUD, false);
});

test("a variable that no schema knows is not taken over", () => {
  assert.ok(!("PATH" in readConfig(schema, { ...good, PATH: "/bin" })));
});

test("accepted says in words what a setting takes", () => {
  assert.equal(accepted(Type.Integer()), "a whole number from any to any");
  assert.equal(accepted(Type.Integer({ minimum: 1, maximum: 3 })), "a whole number from 1 to 3");
  assert.equal(accepted(Type.Boolean()), "true or false");
  assert.equal(accepted(Type.String()), "text");
  assert.equal(accepted(Type.String({ pattern: "^a$" })), "text matching ^a$");
  assert.equal(accepted(Type.String({ enum: ["a", "b"] })), "a, b");
  assert.equal(accepted(Type.String({ accepted: "a folder", pattern: "^/" })), "a folder");
});
