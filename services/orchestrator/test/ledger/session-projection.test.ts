import assert from "node:assert/strict";
import { test } from "node:test";
import { genesisHash, type NewEvent } from "@soma/contracts/audit";
import { isTerminal } from "@soma/contracts/session";
import { sha256 } from "@soma/kit/digest";
import { sealEvent } from "../../src/ledger/event-chain.ts";
import { projectSession } from "../../src/ledger/session-projection.ts";
import type { SessionProjection } from "../../src/ledger/session-row.ts";
import { code as refusedWith } from "./refusal.ts";
import {
  completedEvent,
  createdEvent,
  recoveredEvent,
  stepEvents,
  unavailableEvent,
  usage,
  writer,
} from "./sample-events.ts";

const subject = { tenant: "tenant-a", session_id: "sess-1" };

function project(...told: readonly NewEvent[]): SessionProjection {
  let session: SessionProjection | undefined;
  for (const [index, event] of told.entries()) {
    const place = { sequence: index + 1, prevhash: genesisHash, time: `2026-03-01T00:00:0${index}.000Z` };
    session = projectSession(session, sealEvent(event, place).event);
  }
  assert.ok(session);
  return session;
}

const [allowed] = stepEvents(subject, "step-1");
assert.ok(allowed?.type === "policy.decided");

const endings: readonly [event: NewEvent, status: string, code: string | undefined][] = [
  [completedEvent(subject), "completed", undefined],
  [
    {
      ...writer(subject),
      type: "session.denied",
      key: "end",
      data: { code: "POLICY_UNAVAILABLE", step: "step-1", reasons: [] },
    },
    "denied",
    "POLICY_UNAVAILABLE",
  ],
  [
    { ...writer(subject), type: "session.failed", key: "end", data: { code: "MODEL_UNAVAILABLE" } },
    "failed",
    "MODEL_UNAVAILABLE",
  ],
  [{ ...writer(subject), type: "session.canceled", key: "end", data: {} }, "canceled", "SESSION_CANCELED"],
  [{ ...writer(subject), type: "session.timed_out", key: "end", data: {} }, "timed_out", "SESSION_TIMED_OUT"],
];

for (const [event, status, code] of endings) {
  test(`${event.type} ends a session as ${status}, which then waits for nothing`, () => {
    const begun = event.type === "session.completed" ? [createdEvent(subject), allowed] : [createdEvent(subject)];
    const ended = project(...begun, unavailableEvent(subject, "outage-1"), event);
    assert.equal(ended.status, status);
    assert.ok(isTerminal(ended.status));
    assert.equal(ended.error?.code, code);
    assert.equal(ended.blocked_on, undefined);
    assert.equal(ended.blocked_code, undefined);
    assert.equal(ended.last_seq, begun.length + 2);
    assert.equal(ended.created_at, "2026-03-01T00:00:00.000Z");
    assert.equal(ended.updated_at, `2026-03-01T00:00:0${begun.length + 1}.000Z`);
  });
}

test("only an allowance makes a session run", () => {
  const [decided] = stepEvents(subject, "step-1");
  assert.ok(decided?.type === "policy.decided");
  const denied: NewEvent = { ...decided, data: { ...decided.data, allowed: false } };
  assert.equal(project(createdEvent(subject), denied).status, "starting");
  assert.equal(project(createdEvent(subject), denied).decision?.allowed, false);
  assert.equal(project(createdEvent(subject), decided).status, "running");
});

test("the return of one dependency does not hide the outage of another", () => {
  const other: NewEvent = {
    ...writer(subject),
    type: "dependency.recovered",
    key: "other",
    data: { step: "step-1", dependency: "policy-engine" },
  };
  const blocked = [createdEvent(subject), unavailableEvent(subject, "outage-1")];
  assert.equal(project(...blocked, other).blocked_on, "slm");
  assert.equal(project(...blocked, recoveredEvent(subject, "over")).blocked_on, undefined);
});

test("no intent follows a request to cancel; the outcome of what had begun does", () => {
  const [decided, intended, completed] = stepEvents(subject, "step-1");
  assert.ok(decided && intended && completed);
  const { user } = sealEvent(createdEvent(subject), { sequence: 1, prevhash: genesisHash, time: "" }).event;
  const asked: NewEvent = {
    ...writer(subject),
    type: "session.cancel_requested",
    key: "session.cancel_requested",
    data: { by: user },
  };
  assert.throws(() => project(createdEvent(subject), decided, asked, intended), refusedWith("SESSION_CANCELED"));
  assert.equal(project(createdEvent(subject), decided, intended, asked, completed).result?.model, "small");
});

test("the token is told by what may be shown of it; the result is that of the end", () => {
  const issued: NewEvent = {
    ...writer(subject),
    type: "token.issued",
    key: "step-1/token.issued",
    data: {
      step: "step-1",
      effect_key: sha256("k"),
      decision_id: "d",
      jti: "jti-1",
      audience: "somagent-slm",
      scopes: ["model.complete"],
      expires_at: "2026-03-01T00:05:00.000Z",
    },
  };
  const total = { ...usage, total_tokens: 99 };
  const end: NewEvent = {
    ...completedEvent(subject),
    type: "session.completed",
    data: { result_digest: sha256("end"), usage: total },
  };
  const session = project(createdEvent(subject), issued, ...stepEvents(subject, "step-1"), end);
  assert.deepEqual(session.token, {
    jti: "jti-1",
    expires_at: "2026-03-01T00:05:00.000Z",
    scopes: ["model.complete"],
  });
  assert.deepEqual(session.result, { digest: sha256("end"), model: "small", finish_reason: "stop", usage: total });
});

test("an event that does not follow is refused", () => {
  const session = project(createdEvent(subject));
  const place = { sequence: 2, prevhash: genesisHash, time: "2026-03-01T00:00:01.000Z" };
  const good = sealEvent(unavailableEvent(subject, "a"), place).event;
  assert.equal(projectSession(session, good).last_seq, 2);
  assert.throws(() => projectSession(undefined, good), TypeError);
  assert.throws(() => projectSession(session, { ...good, sequence: 3 }), TypeError);
  assert.throws(() => projectSession(session, { ...good, data: { step: "step-1" } }), /\/ must have required/);
  for (const stranger of [
    { ...subject, tenant: "tenant-b" },
    { ...subject, session_id: "sess-2" },
  ]) {
    const event = sealEvent(unavailableEvent(stranger, "a"), place).event;
    assert.throws(() => projectSession(session, event), TypeError);
  }
});
