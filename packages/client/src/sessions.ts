import { inTenant } from "./in-tenant.ts";
import { randomId } from "./random-id.ts";
import {
  isTerminal,
  type AuditEvent,
  type EventPage,
  type SessionDiagnosis,
  type SessionPage,
  type SessionStatus,
  type SessionView,
  type StartSessionAccepted,
  type StartSessionRequest,
} from "./shapes.ts";
import type { CallOptions, ChangeOptions, Transport } from "./transport.ts";
import { watchSession, type SessionUpdate } from "./watch-session.ts";

/** Which sessions; each narrows. */
export interface SessionFilters {
  readonly status?: SessionStatus;
  readonly user?: string;
  readonly capsule?: string;
  readonly label?: string;
  /** RFC 3339: created at or after. */
  readonly since?: string;
}

export interface PageOptions extends CallOptions {
  /** Objects to a page; the route's own number unless given. */
  readonly pageSize?: number;
}

/** Starts a session; safe to repeat, so it is repeated while it fails in passing. @throws SomaError. */
export function startSession(
  transport: Transport,
  request: StartSessionRequest,
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<StartSessionAccepted> {
  return transport.call("/v1/sessions", "post", { body: request, idempotencyKey, ...options });
}

/** Status and, at the end, result of a session; `id` is a session id or a workflow id. @throws SomaError. */
export function getSession(transport: Transport, id: string, options: CallOptions = {}): Promise<SessionView> {
  return transport.call("/v1/sessions/{id}", "get", {
    parameters: { path: { id }, ...inTenant(transport) },
    ...options,
  });
}

/** Why a session is not moving, and what would move it. @throws SomaError. */
export function diagnoseSession(
  transport: Transport,
  id: string,
  options: CallOptions = {},
): Promise<SessionDiagnosis> {
  return transport.call("/v1/sessions/{id}/diagnosis", "get", {
    parameters: { path: { id }, ...inTenant(transport) },
    ...options,
  });
}

/** One page of the tenant's sessions, newest first; `cursor` is `next_cursor` of the page before. @throws SomaError. */
export function getSessionPage(
  transport: Transport,
  { cursor, ...filters }: SessionFilters & { readonly cursor?: string } = {},
  { pageSize, ...options }: PageOptions = {},
): Promise<SessionPage> {
  const query = {
    ...filters,
    ...inTenant(transport).query,
    ...(cursor !== undefined && { cursor }),
    ...(pageSize !== undefined && { limit: String(pageSize) }),
  };
  return transport.call("/v1/sessions", "get", { parameters: { query }, ...options });
}

/** All sessions of the tenant that the filters leave, newest first; pages are fetched as they are needed. @throws SomaError. */
export async function* listSessions(
  transport: Transport,
  filters: SessionFilters = {},
  options: PageOptions = {},
): AsyncGenerator<SessionView, void, undefined> {
  for (let cursor: string | undefined; ;) {
    const page = await getSessionPage(transport, { ...filters, ...(cursor !== undefined && { cursor }) }, options);
    yield* page.sessions;
    if (page.next_cursor === undefined) return;
    cursor = page.next_cursor;
  }
}

/** An event, or what retention has cut before the first one that is left. */
export type LedgerItem = Extract<SessionUpdate, { readonly kind: "event" | "gap" }>;

interface ReadOptions extends PageOptions {
  /** Position to read on from; 0, all of it, unless given. */
  readonly after?: number;
}

/** The session's ledger as it is now, page by page, with the gap before it where it was cut. @throws SomaError. */
export async function* readLedger(
  transport: Transport,
  id: string,
  { after = 0, pageSize = 500, ...options }: ReadOptions = {},
): AsyncGenerator<LedgerItem, void, undefined> {
  for (let position: number | undefined = after; position !== undefined;) {
    const query = { after: String(position), limit: String(pageSize), ...inTenant(transport).query };
    const page: EventPage = await transport.call("/v1/sessions/{id}/events", "get", {
      parameters: { path: { id }, query },
      ...options,
    });
    if (page.gap) yield { kind: "gap", gap: page.gap };
    for (const event of page.events) yield { kind: "event", event };
    position = page.next_after;
  }
}

/**
 * The events of {@link readLedger} alone. Where retention has cut it they begin later: the first `sequence` says so.
 * @throws SomaError.
 */
export async function* readEvents(
  transport: Transport,
  id: string,
  options: ReadOptions = {},
): AsyncGenerator<AuditEvent, void, undefined> {
  for await (const item of readLedger(transport, id, options)) if (item.kind === "event") yield item.event;
}

/**
 * Follows a session to its end and gives what it came to, whatever that is. Waits for as long as it takes: bound it by
 * a signal, e.g. `AbortSignal.timeout(60_000)`. @throws SomaError.
 */
export async function waitForSession(
  transport: Transport,
  id: string,
  options: CallOptions = {},
): Promise<SessionView> {
  const view = await getSession(transport, id, options);
  if (isTerminal(view.status)) return view;
  const updates = watchSession(transport, id, { after: view.last_seq, ...options });
  // The events themselves are not wanted: the view at the end holds all.
  while ((await updates.next()).done !== true);
  return getSession(transport, id, options);
}
