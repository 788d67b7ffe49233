import assert from "node:assert/strict";
import { test } from "node:test";
import { AuditEvent, eventData, pauseReasons } from "@soma/contracts/audit";
import { TenantEvent, tenantEventData, tenantSubject } from "@soma/contracts/tenant-events";
import { fieldsOf } from "./fields-of.ts";

const pinned = {
  "session.created":
    "role prompt_digest prompt_format? metadata_digest? model? labels capsule? task_queue mode? idle_seconds? budget? token_jti? token_origins?",
  "policy.decided":
    "step action resource action_digest effect_key decision_id policy_version allowed score severity reasons obligations expires_at",
  "token.issued": "step effect_key decision_id jti audience scopes expires_at",
  "effect.intended": "step action resource action_digest effect_key decision_id jti approval_id? reserved? price?",
  "effect.completed":
    "step effect_key result_digest model finish_reason usage replayed? attempt? base_hash? cost_micros?",
  "effect.failed": "step effect_key code",
  "dependency.unavailable": "step dependency code",
  "dependency.recovered": "step dependency",
  "memory.recalled": "step effect_key passages result_digest replayed?",
  "memory.remembered": "step effect_key key value_digest",
  "memory.skipped": "step code",
  "session.paused": "step reason action_id? by?",
  "session.resumed": "step reason action_id? by?",
  "session.cancel_requested": "by reason? stop_id?",
  "action.decided": "action_id action by by_role by_authn arguments decision_id policy_version allowed reasons",
  "action.refused": "action_id action by code approval_id?",
  "message.received": "action_id by message_digest busy final? turn?",
  "turn.started": "turn message_digest action_id?",
  "turn.ended": "turn outcome step code? result_digest? base_hash?",
  "approval.requested":
    "approval_id step action resource action_digest effect_key decision_id requested_by role quorum expires_at reasons",
  "approval.granted": "approval_id action_id by action_digest",
  "approval.denied": "approval_id action_id by action_digest",
  "approval.expired": "approval_id",
  "approval.voided": "approval_id reason",
  "budget.exhausted": "step dimension limit used needed",
  "budget.extended": "action_id by added limit",
  "session.completed": "result_digest usage",
  "session.denied": "code step decision_id? reasons",
  "session.failed": "code step?",
  "session.canceled": "",
  "session.timed_out": "",
};

test("the event types with the fields of their data are these, and no others", () => {
  const table = Object.fromEntries(Object.entries(eventData).map(([type, schema]) => [type, fieldsOf(schema)]));
  assert.deepEqual(table, pinned);
});

const pinnedOfTenants = {
  "tenant.created": "decision_id? policy_version? settings",
  "tenant.updated": "decision_id policy_version settings",
  "tenant.suspended": "decision_id policy_version reason?",
  "tenant.resumed": "decision_id policy_version reason?",
  "api_key.created": "decision_id policy_version key_id name role scopes expires_at",
  "api_key.revoked": "decision_id policy_version key_id",
  "change.denied": "decision_id policy_version action reasons",
  "access.refused": "reason count first_at last_at",
  "sessions.stop_requested": "decision_id policy_version stop_id scope target? reason",
  "sessions.stopped": "stop_id stopped already_ended unknown tokens_revoked tokens_not_revoked list_digest",
  "subject.erasure_requested": "decision_id policy_version erasure_id subject reason?",
  "subject.erased": "erasure_id subject stopped keys_destroyed memory",
  "retention.applied": "before sessions events list_digest",
};

test("so are those of a tenant's own ledger", () => {
  const table = Object.fromEntries(Object.entries(tenantEventData).map(([type, schema]) => [type, fieldsOf(schema)]));
  assert.deepEqual(table, pinnedOfTenants);
  assert.equal(tenantSubject("tenant-a"), "tenant:tenant-a");
  assert.deepEqual(pauseReasons, ["tenant_suspended", "requested"]);
});

test("the envelope of an event", () => {
  const envelope =
    "specversion id eventkey source type subject time datacontenttype tenant user agent authn traceparent? sequence prevhash hash data";
  assert.equal(fieldsOf(AuditEvent), envelope);
  assert.equal(fieldsOf(TenantEvent), envelope);
});
