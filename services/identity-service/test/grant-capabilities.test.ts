import assert from "node:assert/strict";
import { test } from "node:test";
import { roleCapabilities } from "@soma/contracts/roles";
import { capabilities, platformTenant, roles, type Capability } from "@soma/contracts/wire-names";
import { assert as check, constantFrom, oneof, property, string, subarray, uniqueArray } from "fast-check";
import { grantCapabilities } from "../src/tokens/grant-capabilities.ts";

const some = subarray([...capabilities]);
const asked = uniqueArray(oneof(constantFrom<string>(...capabilities), string({ maxLength: 12 })), { maxLength: 12 });
const tenant = constantFrom("acme", platformTenant);
const role = constantFrom(...roles);
const runs = 100_000;
const seed = Date.now() % 2 ** 31;

test(`granted is exactly requested ∩ user ∩ role ∩ agent ∩ service ∩ session, ${String(runs)} times, seed ${String(seed)}`, () => {
  let granted = 0;
  check(
    property(asked, tenant, role, some, some, some, some, (requested, of, as, user, agent, service, session) => {
      const limits = [agent, service, session].map((names) => new Set<string>(names));
      const result = grantCapabilities(requested, { tenant: of, role: as, capabilities: new Set(user) }, ...limits);
      const ofRole: readonly Capability[] = roleCapabilities[as];
      const expected = requested.filter(
        (name) =>
          [user, ofRole, agent, service, session].every((limit) => limit.some((held) => held === name)) &&
          (name !== "platform.manage" || of === "platform"),
      );
      assert.deepEqual(result, expected);
      granted += result.length;
    }),
    { numRuns: runs, seed },
  );
  assert.ok(granted > 1_000, "the property says nothing when nothing is ever granted");
});

test("one more limit never grants more", () => {
  check(
    property(asked, tenant, role, some, some, (requested, of, as, user, other) => {
      const holder = { tenant: of, role: as, capabilities: new Set(user) };
      const wide = grantCapabilities(requested, holder);
      const narrow = grantCapabilities(requested, holder, new Set<string>(other));
      assert.ok(narrow.every((name) => wide.includes(name)));
    }),
    { verbose: true },
  );
});
