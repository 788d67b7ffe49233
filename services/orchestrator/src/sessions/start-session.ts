import { randomUUIDv7 } from "node:crypto";
import { isSessionId, type SessionId } from "@soma/contracts/ids";
import { isTerminal, type StartSessionAccepted, type StartSessionRequest } from "@soma/contracts/session";
import { workflowIdPrefix } from "@soma/contracts/wire-names";
import { digestOf } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { eventContext } from "../activities/step-events.ts";
import type { Principal } from "../access/principal.ts";
import { sessionIdTaken } from "../ledger/session-id-taken.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { foundTenant } from "../tenants/found-tenant.ts";
import { createdEvent } from "./created-event.ts";
import type { SessionDeps } from "./session-deps.ts";
import { assertMetadata, readMode, readPrompt, refuse, type SessionInput } from "./session-input.ts";

/**
 * Starts a session: row and `session.created` first, then the workflow, whose id makes it happen at most once. A call
 * that died in between is finished by the same call made again, with the same id or the same idempotency key.
 *
 * @throws DomainError SESSION_ID_TAKEN, IDEMPOTENCY_KEY_REUSED, VALIDATION_FAILED, TEMPORAL_UNAVAILABLE, AUDIT_UNAVAILABLE,
 * AUDIT_BACKLOG_FULL, TENANT_SUSPENDED, QUOTA_EXCEEDED, PRICE_UNKNOWN
 */
export async function startSession(
  deps: SessionDeps,
  principal: Principal,
  request: StartSessionRequest,
  idempotencyKey: string | undefined,
): Promise<StartSessionAccepted> {
  const session = readRequest(principal, request);
  if (session.budget?.cost_micros !== undefined) deps.prices.require(session.model);
  // Nothing is written while it is known that nothing can start: no half session.
  if (!deps.temporalIsUp())
    throw new DomainError("TEMPORAL_UNAVAILABLE", "Temporal cannot be reached; nothing was started, try again.");
  if (deps.backlogIsFull()) throw backlogFull();
  const { created, contents } = createdEvent(session, {
    role: principal.role,
    authn: principal.authn,
    taskQueue: deps.taskQueue,
    token: principal.token,
  });
  const { row, duplicate } = await deps.ledger.openSession({
    created,
    contents,
    workflowId: workflowIdPrefix + session.session_id,
    admission: { created: foundTenant(session.tenant), enforced: true },
    ...(idempotencyKey !== undefined && { idempotency: { key: idempotencyKey, requestDigest: digestOf(request) } }),
  });
  if (row.run_id === undefined && isTerminal(row.status)) {
    throw new DomainError("SESSION_ENDED", `The session ended before it ran (${row.status}); start another one.`);
  }
  if (duplicate && row.run_id !== undefined) {
    if (idempotencyKey === undefined) throw sessionIdTaken();
    return accepted(row, row.run_id);
  }
  const repeatable = idempotencyKey !== undefined || session.metadata["session_id"] !== undefined;
  const { runId, started } = await startWorkflow(deps, row, session, repeatable);
  // The workflow was there before our row: a Temporal client took the id, and the session is not what was asked for here.
  if (!started && !duplicate) throw sessionIdTaken();
  if (started) deps.sessionMetrics.started.inc();
  await deps.ledger.setRunId({ tenant: row.tenant, sessionId: row.session_id, runId });
  return accepted(row, runId);
}

/**
 * A caller who named the session, or gave a key, can make the same call again and finish it. Nobody can come back for
 * a session whose id was made here and never told: it is closed, and should its workflow run after all, it does nothing.
 */
async function startWorkflow(
  deps: SessionDeps,
  row: SessionRow,
  session: SessionInput,
  repeatable: boolean,
): Promise<{ runId: string; started: boolean }> {
  try {
    const memory = deps.memory === true && { memory: true };
    return await deps.workflows.start({ ...session, session_id: row.session_id, ...memory });
  } catch (error) {
    if (!repeatable && error instanceof DomainError) {
      const failed = { type: "session.failed", key: "session.end", data: { code: error.code } } as const;
      // Whatever comes of this, the caller is told why the start failed.
      await deps.ledger.append([{ ...eventContext(row), ...failed }]).catch(() => undefined);
    }
    throw error;
  }
}

/** What runs goes on: only what is new waits until its evidence has a way out again. */
function backlogFull(): DomainError {
  return new DomainError(
    "AUDIT_BACKLOG_FULL",
    "More audit events wait for Kafka than may; nothing was started. Try again later: sessions start as soon as events are delivered. Operators: see kafka in /ready and soma_audit_backlog_events, bring the brokers back or raise AUDIT_BACKLOG_MAX.",
    { retryAfterSeconds: 10 },
  );
}

function readRequest(principal: Principal, request: StartSessionRequest): SessionInput {
  const metadata = request.metadata ?? {};
  const asked = readPrompt(request);
  assertMetadata(metadata);
  return {
    session_id: readSessionId(metadata["session_id"]),
    tenant: principal.tenant,
    user: principal.user,
    ...asked,
    ...(request.model !== undefined && { model: request.model }),
    ...readMode(request),
    metadata,
  };
}

function readSessionId(value: unknown): SessionId {
  const id = value === undefined ? randomUUIDv7() : value;
  if (typeof id === "string" && isSessionId(id)) return id;
  return refuse(
    "/metadata/session_id",
    "must be letters, digits, dot, underscore or hyphen, at most 128 long, beginning with a letter or digit and not with 'session-'",
  );
}

function accepted(row: SessionRow, runId: string): StartSessionAccepted {
  return {
    session_id: row.session_id,
    workflow_id: row.workflow_id,
    run_id: runId,
    task_queue: row.task_queue,
    status: "running",
  };
}
