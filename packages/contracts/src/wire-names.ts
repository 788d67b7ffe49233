/**
 * Names that travel on wires and into other people's systems. Changed only on purpose: each is pinned as a
 * literal in `tests/pins`. This file has no import, so that workflow code can use it at no cost.
 */
export const sessionWorkflowType = "session-start-workflow";

/** Workflow ids are this prefix and the session id. */
export const workflowIdPrefix = "session-";

/** Default task queue of the session workflows and their activities. */
export const defaultTaskQueue = "somagent.session.workflows";

export const activityNames = [
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
] as const;
export type ActivityName = (typeof activityNames)[number];

/** Temporal Update by which an action reaches a session that runs. */
export const sessionActionUpdate = "session-action";

/** Kafka topic of audit events. */
export const auditTopic = "agent.audit";

/** Search attributes that the orchestrator sets on each session workflow; all are Keyword. */
export const searchAttributes = { tenantId: "TenantId" } as const;

/** Services as they are named in `blocked_on`, logs, metrics and readiness. */
export const dependencies = [
  "temporal",
  "ledger",
  "policy-engine",
  "identity-service",
  "slm",
  "kafka",
  "memory-gateway",
] as const;
export type Dependency = (typeof dependencies)[number];

/** Default ports of the services. */
export const ports = {
  gateway: 10000,
  orchestrator: 10001,
  identityService: 10002,
  codecServer: 10012,
  memoryGateway: 10018,
  policyEngine: 10020,
} as const;

/** Header that carries a caller's idempotency key. */
export const idempotencyKeyHeader = "idempotency-key";

/** Header in which the gateway says, signed, that a request came through it. */
export const hopHeader = "x-soma-hop";

/** Header in which the identity service tells a service why a login was refused; never sent on to who tried. */
export const refusalHeader = "x-soma-refusal";

/** Audience of callers' tokens for the orchestrator's API. */
export const orchestratorAudience = "somagent-orchestrator";

/** Audience of the step tokens that the model service accepts. */
export const slmAudience = "somagent-slm";

/** Audience of the tokens that the memory gateway accepts. */
export const memoryAudience = "somagent-memory";

/** How a principal was established; stands in every event as `authn`. */
export const authenticationKinds = ["token", "unauthenticated-loopback", "temporal-client", "service"] as const;
export type AuthenticationKind = (typeof authenticationKinds)[number];

/** Capabilities that users, agents and tokens can carry. */
export const capabilities = [
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
] as const;
export type Capability = (typeof capabilities)[number];

export const roles = ["viewer", "operator", "approver", "admin", "auditor"] as const;
export type Role = (typeof roles)[number];

/** The agent that acts in a session which names no capsule. */
export const defaultAgent = "session-agent";

/** The tenant of those who run the installation: its admins make and suspend the others. */
export const platformTenant = "platform";

/** Ids of users that stand in no registry begin so: an API key, and somebody that a foreign issuer vouches for. */
export const apiKeyUserPrefix = "key:";
export const foreignUserPrefix = "oidc:";

/** What every API key begins with, so that scanners for leaked secrets find one. */
export const apiKeyPrefix = "soma_";
