import type { AuditEvent, PauseReason } from "@soma/contracts/audit";
import type { ErrorCode } from "@soma/contracts/error-codes";
import { isTerminal, type SessionStatus } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import type { SessionProjection } from "./session-row.ts";
import { typedEvent, type TypedEvent } from "./typed-event.ts";

/**
 * The session after one more event. Pure: replaying a session's events gives what the ledger holds.
 *
 * @throws DomainError `SESSION_ENDED` for an event after the end, `SESSION_CANCELED` for an intent after the request to cancel
 * @throws TypeError for an event that is not the next of this session
 */
export function projectSession(before: SessionProjection | undefined, event: AuditEvent): SessionProjection {
  const typed = typedEvent(event);
  if (typed.type === "session.created") {
    if (before !== undefined || event.sequence !== 1) throw new TypeError("a session is created once, first");
    return createdSession(event, typed.data);
  }
  if (before === undefined) throw new TypeError(`${event.type} cannot be a session's first event`);
  if (isTerminal(before.status)) throw new DomainError("SESSION_ENDED", "The session has ended.");
  if (event.tenant !== before.tenant || event.subject !== before.session_id || event.sequence !== before.last_seq + 1) {
    throw new TypeError(`event ${event.sequence} does not follow event ${before.last_seq} of this session`);
  }
  return { ...changed(before, typed), updated_at: event.time, last_seq: event.sequence };
}

type Following = Exclude<TypedEvent, { type: "session.created" }>;

function changed(before: SessionProjection, { type, data }: Following): SessionProjection {
  switch (type) {
    case "policy.decided": {
      const { decision_id, allowed, score, severity, reasons, policy_version } = data;
      return {
        ...before,
        status: allowed && before.status === "starting" ? "running" : before.status,
        decision: { decision_id, allowed, score, severity, reasons, policy_version },
      };
    }
    case "token.issued":
      return { ...before, token: { jti: data.jti, expires_at: data.expires_at, scopes: data.scopes } };
    case "effect.completed": {
      const { result_digest, model, finish_reason, usage } = data;
      return { ...before, result: { digest: result_digest, model, finish_reason, usage } };
    }
    case "dependency.unavailable":
      return { ...before, blocked_on: data.dependency, blocked_code: data.code };
    case "dependency.recovered":
      return before.blocked_on === data.dependency ? unblocked(before) : before;
    case "effect.intended":
      // Here, and so in the append itself: between a look at the session and the intent a cancellation could be recorded.
      if (before.cancel_requested) throw new DomainError("SESSION_CANCELED", "The session is being canceled.");
      return before;
    case "effect.failed":
      return before;
    case "session.paused":
      // Something that is down is the nearer reason, where there is both.
      return {
        ...before,
        status: "paused",
        ...(before.blocked_on === undefined && { blocked_code: pauseCodes[data.reason] }),
      };
    case "session.resumed":
      return resumed(before);
    case "session.cancel_requested":
      return { ...before, cancel_requested: true };
    case "session.completed":
      return ended(
        before.result === undefined
          ? before
          : { ...before, result: { ...before.result, digest: data.result_digest, usage: data.usage } },
        "completed",
      );
    case "session.denied":
      return ended(before, "denied", data.code);
    case "session.failed":
      return ended(before, "failed", data.code);
    case "session.canceled":
      return ended(before, "canceled", "SESSION_CANCELED");
    case "session.timed_out":
      return ended(before, "timed_out", "SESSION_TIMED_OUT");
    default:
      return neverAnEvent(type);
  }
}

function createdSession(
  event: AuditEvent,
  data: Extract<TypedEvent, { type: "session.created" }>["data"],
): SessionProjection {
  return {
    ...data,
    session_id: event.subject,
    tenant: event.tenant,
    user: event.user,
    agent: event.agent,
    authn: event.authn,
    status: "starting",
    created_at: event.time,
    updated_at: event.time,
    last_seq: event.sequence,
  };
}

function ended(session: SessionProjection, status: SessionStatus, code?: ErrorCode): SessionProjection {
  // Whatever it waited for: an ended session waits for nothing.
  return { ...unblocked(session), status, ...(code !== undefined && { error: { code } }) };
}

function unblocked(session: SessionProjection): SessionProjection {
  const { blocked_on: _on, blocked_code: _code, ...rest } = session;
  return rest;
}

const pauseCodes = { tenant_suspended: "TENANT_SUSPENDED" } as const satisfies Record<PauseReason, ErrorCode>;

function resumed(session: SessionProjection): SessionProjection {
  if (session.status !== "paused") return session;
  const status = session.decision?.allowed === true ? "running" : "starting";
  return { ...(session.blocked_on === undefined ? unblocked(session) : session), status };
}

function neverAnEvent(type: never): never {
  throw new TypeError(`no projection for event type ${String(type)}`);
}
