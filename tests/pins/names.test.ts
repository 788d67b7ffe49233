import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { genesisHash } from "@soma/contracts/audit";
import { severities } from "@soma/contracts/policy";
import { sessionActions, sessionStatuses, startLimits, terminalStatuses } from "@soma/contracts/session";
import { hopIssuer, hopLimits, hopRefusals, hopTokenType } from "@soma/contracts/hop";
import * as names from "@soma/contracts/wire-names";

// Literals on purpose: a wire name is changed here by somebody who means it, or not at all.

test("Temporal: workflow type, id prefix, task queue, activities, search attributes", () => {
  assert.equal(names.sessionWorkflowType, "session-start-workflow");
  assert.equal(names.workflowIdPrefix, "session-");
  assert.equal(names.defaultTaskQueue, "somagent.session.workflows");
  assert.deepEqual(names.activityNames, [
    "evaluate-policy",
    "issue-identity-token",
    "run-slm-completion",
    "record-exhausted-budget",
    "emit-audit-event",
    "recall-memory",
    "remember-turn",
    "skip-memory",
    "apply-action",
    "request-approval",
    "close-approval",
    "begin-turn",
    "end-turn",
  ]);
  assert.equal(names.sessionActionUpdate, "session-action");
  assert.deepEqual(names.searchAttributes, { tenantId: "TenantId" });
});

function source(path: string): string {
  return readFileSync(new URL(`../../services/orchestrator/src/${path}`, import.meta.url), "utf8");
}

test("the worker registers these very names: workflow in its registry, one file for each activity", () => {
  const workflows = [...source("workflows/workflow-registry.ts").matchAll(/ as "([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(workflows, ["session-start-workflow"]);
  const activities = [...source("activities/activity-registry.ts").matchAll(/^ {4}"([^"]+)": translated\(/gm)];
  assert.deepEqual(
    activities.map(([, name]) => name),
    [...names.activityNames],
  );
  for (const [, name] of activities)
    assert.ok(existsSync(new URL(`../../services/orchestrator/src/activities/${String(name)}.ts`, import.meta.url)));
});

test("topic, ports, header, audiences, agent", () => {
  assert.equal(names.auditTopic, "agent.audit");
  assert.deepEqual(names.ports, {
    gateway: 10000,
    orchestrator: 10001,
    identityService: 10002,
    codecServer: 10012,
    memoryGateway: 10018,
    policyEngine: 10020,
  });
  assert.equal(names.idempotencyKeyHeader, "idempotency-key");
  assert.equal(names.hopHeader, "x-soma-hop");
  assert.equal(names.refusalHeader, "x-soma-refusal");
  assert.equal(names.platformTenant, "platform");
  assert.equal(names.apiKeyPrefix, "soma_");
  assert.deepEqual([names.apiKeyUserPrefix, names.foreignUserPrefix], ["key:", "oidc:"]);
  assert.equal(names.orchestratorAudience, "somagent-orchestrator");
  assert.equal(names.slmAudience, "somagent-slm");
  assert.equal(names.memoryAudience, "somagent-memory");
  assert.equal(names.defaultAgent, "session-agent");
});

test("closed sets: dependencies, authentication, capabilities, roles, severities", () => {
  assert.deepEqual(names.dependencies, [
    "temporal",
    "ledger",
    "policy-engine",
    "identity-service",
    "slm",
    "kafka",
    "memory-gateway",
  ]);
  assert.deepEqual(names.authenticationKinds, ["token", "unauthenticated-loopback", "temporal-client", "service"]);
  assert.deepEqual(names.capabilities, [
    "session.start",
    "session.read",
    "session.cancel",
    "model.complete",
    "model.embed",
    "session.approve",
    "ledger.read",
    "tenant.read",
    "tenant.manage",
    "key.manage",
    "platform.manage",
    "session.steer",
    "session.stop",
    "budget.extend",
    "memory.recall",
    "memory.remember",
    "subject.erase",
  ]);
  assert.deepEqual(names.roles, ["viewer", "operator", "approver", "admin", "auditor"]);
  assert.deepEqual(severities, ["none", "low", "medium", "high", "critical"]);
});

test("nothing else is a wire name", () => {
  assert.deepEqual(Object.keys(names).toSorted(), [
    "activityNames",
    "apiKeyPrefix",
    "apiKeyUserPrefix",
    "auditTopic",
    "authenticationKinds",
    "capabilities",
    "defaultAgent",
    "defaultTaskQueue",
    "dependencies",
    "foreignUserPrefix",
    "hopHeader",
    "idempotencyKeyHeader",
    "memoryAudience",
    "orchestratorAudience",
    "platformTenant",
    "ports",
    "refusalHeader",
    "roles",
    "searchAttributes",
    "sessionActionUpdate",
    "sessionWorkflowType",
    "slmAudience",
    "workflowIdPrefix",
  ]);
});

test("sessions: statuses, actions, bounds", () => {
  assert.deepEqual(sessionStatuses, [
    "starting",
    "running",
    "waiting_input",
    "waiting_approval",
    "waiting_budget",
    "paused",
    "completed",
    "denied",
    "failed",
    "canceled",
    "timed_out",
  ]);
  assert.deepEqual(terminalStatuses, ["completed", "denied", "failed", "canceled", "timed_out"]);
  assert.deepEqual(sessionActions, [
    "message",
    "approve",
    "deny",
    "pause",
    "resume",
    "cancel",
    "terminate",
    "retry",
    "extend-budget",
  ]);
  assert.deepEqual(startLimits, {
    bodyBytes: 262_144,
    promptBytes: 102_400,
    metadataBytes: 16_384,
    metadataKeys: 64,
    depth: 8,
    labels: 16,
    messages: 64,
  });
});

test("the hash before the first event", () => {
  assert.equal(genesisHash, "sha256:0000000000000000000000000000000000000000000000000000000000000000");
});

test("hop tokens: type, issuer, times, classes of refusals", () => {
  assert.equal(hopTokenType, "soma-hop+jwt");
  assert.equal(hopIssuer, "gateway");
  assert.deepEqual(hopLimits, { lifeSeconds: 10, leewaySeconds: 5 });
  assert.deepEqual(hopRefusals, [
    "missing",
    "malformed",
    "unknown_key",
    "signature",
    "expired",
    "claims",
    "method",
    "path",
    "authorization",
    "body",
    "replayed",
  ]);
});
