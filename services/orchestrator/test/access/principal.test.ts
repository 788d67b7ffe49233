import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilities } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { requireRole, requireScope, resolvePrincipal, resolveTenant, type Caller } from "../../src/access/principal.ts";
import { tenantId, userId } from "../harness/ids.ts";
import { code } from "../ledger/refusal.ts";

const mine = { tenant: tenantId("tenant-a"), user: userId("ann") };
const theirs = { tenant: tenantId("tenant-b"), user: userId("bob") };
const token = { jti: "jti-1", origins: ["jti-0"] };
const withToken: Caller = { authn: "token", ...mine, role: "viewer", scopes: ["session.read"], token };
const onLoopback: Caller = { authn: "unauthenticated-loopback" };
const nobody = { tenant: undefined, user: undefined };

/** For `assert.throws`: a domain error with this code that blames these fields. */
function blames(expected: DomainError["code"], ...pointers: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DomainError);
    assert.equal(error.code, expected);
    assert.deepEqual(
      error.fields.map(({ pointer }) => pointer),
      pointers,
    );
    return true;
  };
}

test("P3: with a token the principal is the token's, whatever the body leaves out or repeats", () => {
  const principal = { ...mine, role: "viewer", authn: "token", token };
  assert.deepEqual(resolvePrincipal(withToken, nobody), principal);
  assert.deepEqual(resolvePrincipal(withToken, mine), principal);
  assert.deepEqual(resolvePrincipal(withToken, { ...nobody, tenant: mine.tenant }), principal);
  assert.deepEqual(resolvePrincipal(withToken, { ...nobody, user: mine.user }), principal);
});

test("P3: a body that names another tenant or user than the token is refused and told which", () => {
  assert.throws(() => resolvePrincipal(withToken, theirs), blames("PRINCIPAL_MISMATCH", "/tenant"));
  assert.throws(
    () => resolvePrincipal(withToken, { ...mine, tenant: theirs.tenant }),
    blames("PRINCIPAL_MISMATCH", "/tenant"),
  );
  assert.throws(
    () => resolvePrincipal(withToken, { ...mine, user: theirs.user }),
    blames("PRINCIPAL_MISMATCH", "/user"),
  );
  // Another case or a longer name is another principal.
  assert.throws(
    () => resolvePrincipal(withToken, { ...mine, user: userId("Ann") }),
    blames("PRINCIPAL_MISMATCH", "/user"),
  );
});

test("the refusal does not name the token's principal", () => {
  assert.throws(
    () => resolvePrincipal(withToken, theirs),
    (error) => error instanceof DomainError && !/tenant-a|ann/.test(error.message + JSON.stringify(error.fields)),
  );
});

test("on loopback the principal is what the body says, marked and without more rights than an operator's", () => {
  assert.deepEqual(resolvePrincipal(onLoopback, mine), {
    ...mine,
    role: "operator",
    authn: "unauthenticated-loopback",
  });
});

test("on loopback a body that does not say who it is is refused and told what is missing", () => {
  assert.throws(() => resolvePrincipal(onLoopback, nobody), blames("VALIDATION_FAILED", "/tenant", "/user"));
  assert.throws(() => resolvePrincipal(onLoopback, { ...mine, user: undefined }), blames("VALIDATION_FAILED", "/user"));
  assert.throws(
    () => resolvePrincipal(onLoopback, { ...mine, tenant: undefined }),
    blames("VALIDATION_FAILED", "/tenant"),
  );
});

test("P5: a read is bound to the token's tenant; a query can only agree", () => {
  assert.equal(resolveTenant(withToken, undefined), mine.tenant);
  assert.equal(resolveTenant(withToken, mine.tenant), mine.tenant);
  assert.throws(() => resolveTenant(withToken, theirs.tenant), blames("PRINCIPAL_MISMATCH", "/querystring/tenant"));
  assert.equal(resolveTenant(onLoopback, undefined), undefined);
  assert.equal(resolveTenant(onLoopback, theirs.tenant), theirs.tenant);
});

test("a route needs its very scope in the token; on loopback there is none to need", () => {
  for (const scope of capabilities) {
    requireScope({ ...withToken, scopes: [scope] }, scope);
    requireScope(onLoopback, scope);
    const others = capabilities.filter((other) => other !== scope);
    assert.throws(() => requireScope({ ...withToken, scopes: others }, scope), code("FORBIDDEN"));
    for (const scopes of [[], [""], [`${scope}.all`], [scope.slice(0, -1)], [scope.toUpperCase()], ["*"]])
      assert.throws(() => requireScope({ ...withToken, scopes }, scope), code("FORBIDDEN"));
  }
});

test("a role that is not listed is refused; on loopback, where there is none, nobody is", () => {
  for (const role of ["viewer", "approver", "auditor"] as const)
    assert.throws(() => requireRole({ ...withToken, role }, ["operator", "admin"]), code("FORBIDDEN"));
  requireRole({ ...withToken, role: "admin" }, ["operator", "admin"]);
  requireRole(onLoopback, ["operator", "admin"]);
});
