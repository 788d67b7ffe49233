import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilities } from "@soma/contracts/wire-names";
import { assert as check, constantFrom, oneof, property, string, subarray, uniqueArray } from "fast-check";
import { grantCapabilities } from "../src/tokens/grant-capabilities.ts";

const some = subarray([...capabilities]);
const asked = uniqueArray(oneof(constantFrom<string>(...capabilities), string()));

test("granted is exactly requested ∩ user ∩ agent ∩ service", () => {
  check(
    property(asked, some, some, some, (requested, user, agent, service) => {
      const granted = grantCapabilities(requested, new Set(user), new Set(agent), new Set(service));
      const limits: readonly string[][] = [requested, user, agent, service];
      for (const name of granted) assert.ok(limits.every((limit) => limit.includes(name)));
      for (const name of requested)
        assert.equal(
          granted.includes(name),
          limits.every((limit) => limit.includes(name)),
        );
    }),
    { verbose: true },
  );
});

test("one more limit never grants more", () => {
  check(
    property(asked, some, some, (requested, user, other) => {
      const wide = grantCapabilities(requested, new Set(user));
      const narrow = grantCapabilities(requested, new Set(user), new Set(other));
      assert.ok(narrow.every((name) => wide.includes(name)));
    }),
    { verbose: true },
  );
});
