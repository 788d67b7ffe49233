import type { UserId } from "@soma/contracts/ids";
import { errors } from "@soma/contracts/error-codes";
import { isTerminal, type SessionResult } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import { toDomainError } from "@soma/kit/problem-response";
import type { Logger } from "@soma/kit/logger";
import type { SessionRow } from "../ledger/session-row.ts";
import { cancelSession } from "../sessions/cancel-session.ts";
import { findSession } from "../sessions/find-session.ts";
import type { SessionDeps } from "../sessions/session-deps.ts";
import { viewSession } from "../sessions/session-view.ts";
import { isLastEvent } from "../streams/last-event.ts";
import type { StreamRegistry } from "../streams/stream-registry.ts";
import type { EventSink } from "./event-sink.ts";

/** What the answers of this face are made with. */
export interface AnswerDeps extends SessionDeps {
  readonly streams: StreamRegistry;
  readonly log: Logger;
  /** How long a request that is not streamed waits for the session's end, in milliseconds. */
  readonly answerWithinMs: number;
}

/**
 * Waits by the ledger's tail until the session has ended; nothing is asked of Temporal.
 *
 * @returns false when the reader has gone
 * @throws DomainError ANSWER_NOT_IN_TIME: the session goes on
 */
export async function waitForEnd(deps: AnswerDeps, row: SessionRow, gone: AbortSignal): Promise<boolean> {
  const late = AbortSignal.timeout(deps.answerWithinMs);
  for await (const item of deps.streams.follow(row, 0, AbortSignal.any([gone, late])))
    if (item.kind === "event" && isLastEvent(item.event.type)) return true;
  if (gone.aborted) return false;
  // A session that had ended before is read to its last event above; nothing else ends the following.
  if (late.aborted)
    throw new DomainError(
      "ANSWER_NOT_IN_TIME",
      `The session ${row.session_id} goes on; read it at /v1/sessions/${row.session_id}, or ask with background: true.`,
    );
  throw stopping(row);
}

/**
 * The result of a session that has ended.
 *
 * @throws DomainError with the code that the session ended with
 */
export async function resultOf(deps: SessionDeps, row: SessionRow): Promise<SessionResult> {
  const view = await viewSession(deps, await findSession(deps.ledger, row.tenant, row.session_id));
  if (view.result !== undefined) return view.result;
  const code = view.error?.code ?? (view.texts_gone === undefined ? "INTERNAL" : "CONTENT_ERASED");
  throw new DomainError(code, `${errors[code].title}; /v1/sessions/${row.session_id}/events has the record.`);
}

/**
 * A failure as the stream that has begun can tell it; nothing after this is seen by the server's own error handling.
 *
 * @throws the failure itself when nothing was sent yet: then it is an HTTP status
 */
export function failureInStream(deps: AnswerDeps, sink: EventSink, error: unknown): DomainError {
  if (!sink.begun) throw error;
  const known = toDomainError(error);
  if (errors[known.code].status >= 500)
    deps.log.error({ code: known.code, err: known.cause ?? known }, "a stream failed");
  return known;
}

/** The service stops before the session has ended. */
export function stopping(row: SessionRow): DomainError {
  return new DomainError("NOT_READY", `The service stops; the session ${row.session_id} goes on, read it there.`);
}

/** Nobody is left to read the answer: the session is canceled, so that nobody pays for the rest of it. */
export async function abandonSession(deps: AnswerDeps, row: SessionRow, by: UserId): Promise<void> {
  try {
    const now = await findSession(deps.ledger, row.tenant, row.session_id);
    if (!isTerminal(now.status)) await cancelSession(deps, now, by);
  } catch (error) {
    // It may have ended in between. Whatever else it is, there is nobody to tell; the session goes on to its end.
    deps.log.warn({ err: error, session_id: row.session_id }, "a session whose reader left was not canceled");
  }
}
