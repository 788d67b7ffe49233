import assert from "node:assert/strict";
import { test } from "node:test";
import { Value } from "typebox/value";
import { AuditEvent, eventData, EventPage, genesisHash } from "../src/audit.ts";
import { IssuedToken, IssueTokenRequest, RevokeTokenRequest, VerifiedToken } from "../src/identity.ts";
import { Permit, SealedToken } from "../src/permit.ts";
import { Decision, EvaluateRequest, Obligation } from "../src/policy.ts";
import { FieldError } from "../src/problem.ts";
import { TenantEvent, tenantEventData, TenantEventPage } from "../src/tenant-events.ts";
import {
  DecisionSummary,
  SessionPage,
  SessionResult,
  SessionView,
  StartSessionAccepted,
  StartSessionRequest,
  TokenSummary,
  Usage,
} from "../src/session.ts";

/** Every object schema inside a schema, with where it stands. */
function objectSchemas(schema: unknown, at: string): { at: string; closed: unknown; record: boolean }[] {
  if (typeof schema !== "object" || schema === null) return [];
  const inner = Object.entries(schema).flatMap(([key, value]) => objectSchemas(value, `${at}/${key}`));
  const fields = new Map(Object.entries(schema));
  if (fields.get("type") !== "object") return inner;
  return [{ at, closed: fields.get("additionalProperties"), record: fields.has("patternProperties") }, ...inner];
}

/**
 * Records that have names of their own: what a tenant's issuers call its roles is the tenant's own, with values of a
 * closed set; the arguments of an action are digests, ids, numbers and choices, and at most a reason.
 */
const records = ["/issuers/items/properties/roles", "action.decided/properties/arguments"] as const;

for (const [type, schema] of Object.entries({ ...eventData, ...tenantEventData })) {
  test(`the data of ${type} is closed at every depth: nothing that is not named gets into the ledger`, () => {
    const found = objectSchemas(schema, type);
    assert.ok(found.length > 0);
    const open = found.filter(({ at, record }) => !(record && records.some((known) => at.endsWith(known))));
    for (const { at, closed } of open) assert.equal(closed, false, at);
  });
}

const closed = {
  AuditEvent,
  TenantEvent,
  TenantEventPage,
  EventPage,
  Permit,
  SealedToken,
  Decision,
  EvaluateRequest,
  FieldError,
  IssuedToken,
  IssueTokenRequest,
  RevokeTokenRequest,
  VerifiedToken,
  StartSessionRequest,
  StartSessionAccepted,
  SessionView,
  SessionPage,
  SessionResult,
  DecisionSummary,
  TokenSummary,
  Usage,
};

for (const [name, schema] of Object.entries(closed)) {
  test(`${name} is closed`, () => {
    const [outer] = objectSchemas(schema, name);
    assert.equal(outer?.closed, false);
    assert.equal(outer.record, false);
  });
}

test("no event has a place for a text of a user, a completion or a token", () => {
  const names = Object.entries(eventData).flatMap(([type, { properties }]) =>
    Object.keys(properties).map((field) => `${type} ${field}`),
  );
  for (const name of names) assert.doesNotMatch(name, / (prompt|text|content|completion|token|metadata|body|secret)$/);
});

test("an unknown kind of obligation is none, so that no decision with one can be used", () => {
  assert.ok(Value.Check(Obligation, { kind: "max_output_tokens", limit: 1 }));
  assert.ok(Value.Check(Obligation, { kind: "require_approval", role: "approver" }));
  for (const bad of [
    { kind: "pray" },
    { kind: "max_output_tokens" },
    { kind: "max_output_tokens", limit: 0 },
    { kind: "max_output_tokens", limit: 1.5 },
    { kind: "max_output_tokens", limit: "1" },
    { kind: "max_output_tokens", limit: 1, more: 1 },
    { kind: "require_approval", role: "root" },
    {},
  ])
    assert.ok(!Value.Check(Obligation, bad), JSON.stringify(bad));
});

test("the first event of a session follows 64 zeros", () => {
  assert.equal(genesisHash, `sha256:${"0".repeat(64)}`);
});
