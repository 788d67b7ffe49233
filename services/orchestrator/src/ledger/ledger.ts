import type { AuditEvent, EventGap, NewEvent } from "@soma/contracts/audit";
import type { Digest, TenantId } from "@soma/contracts/ids";
import type { SessionStatus } from "@soma/contracts/session";
import type { LedgerEvent } from "@soma/contracts/tenant-events";
import type { ContentKeys } from "../contents/content-keys.ts";
import type { Subject } from "../contents/subject.ts";
import type { AnswerStore } from "./answer-store.ts";
import type { NewContent } from "./content.ts";
import type { RelayStore } from "./relay-store.ts";
import type { RetentionStore } from "./retention-store.ts";
import type { SessionRow } from "./session-row.ts";
import type { SessionAdmission } from "./tenant-admission.ts";
import type { TenantStore } from "./tenant-store.ts";

/** The first event of a session, which only `openSession` writes. */
export type SessionCreated = Extract<NewEvent, { type: "session.created" }>;

export interface OpenSession {
  readonly created: SessionCreated;
  readonly workflowId: string;
  readonly runId?: string;
  readonly contents: readonly NewContent[];
  readonly idempotency?: { readonly key: string; readonly requestDigest: Digest };
  /** What the session's tenant is asked first, in the same transaction; absent where no tenant is an object. */
  readonly admission?: SessionAdmission;
}

export interface OpenedSession {
  readonly row: SessionRow;
  /** True when nothing was written because this session was there already. */
  readonly duplicate: boolean;
}

export interface Appended {
  readonly event: AuditEvent;
  /** True when the event was recorded before; `event` is then the recorded one. */
  readonly duplicate: boolean;
}

/** An event at its place in the order of commits over all streams. */
export interface TailedEvent {
  readonly position: number;
  readonly event: LedgerEvent;
  /** The recorded bytes: the canonical JSON that every reader and the topic get. */
  readonly json: string;
}

export interface SessionQuery {
  readonly tenant: string;
  readonly status?: SessionStatus;
  readonly user?: string;
  readonly capsule?: string;
  readonly label?: string;
  /** RFC 3339; sessions created at or after. */
  readonly since?: string;
  readonly cursor?: string;
  readonly limit: number;
}

export interface SessionRows {
  readonly rows: readonly SessionRow[];
  /** Opaque; absent on the last page. */
  readonly nextCursor?: string;
}

/** What an idempotency key of a tenant stands for; forgotten 24 h after `createdAt`. */
export interface IdempotencyRecord {
  readonly requestDigest: Digest;
  readonly sessionId: string;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

export interface SessionKey {
  readonly tenant: string;
  readonly sessionId: string;
}

/** A session that has not ended, at its place in the order of creation over all tenants. */
export interface UnendedSession extends SessionKey {
  readonly ordinal: number;
}

/**
 * The append-only, hash-chained log of each session, the projection of it, and the texts that it names, which are
 * encrypted before the store sees them.
 *
 * Any method rejects with `DomainError` `AUDIT_UNAVAILABLE` when the store cannot do it now. A promise of a write
 * resolves after the commit; when it rejects with `AUDIT_UNAVAILABLE` the outcome may be unknown, and writing the
 * same again is safe. An event or content that does not fit its schema is a `TypeError`.
 */
export interface Ledger {
  /**
   * Creates the session, `session.created`, contents and the idempotency record in one transaction. The same created
   * event again, or the same idempotency key with the same request (whatever session id it brings), gives the session
   * that is there, `duplicate` true.
   *
   * @throws DomainError `SESSION_ID_TAKEN` when the id is held by another tenant or with other content;
   * `IDEMPOTENCY_KEY_REUSED` when the key stands for another request; with `admission`, and for a session that is not
   * there yet, `TENANT_SUSPENDED` and `QUOTA_EXCEEDED`
   */
  openSession(input: OpenSession): Promise<OpenedSession>;

  /**
   * Appends all or nothing: events of one tenant, projection and contents in one transaction. An event recorded before with the same
   * content keeps its place (`duplicate` true), also after the session's end.
   *
   * @throws DomainError `EVENT_CONFLICT`, `SESSION_ENDED`, `SESSION_NOT_FOUND`
   */
  append(events: readonly NewEvent[], contents?: readonly NewContent[]): Promise<readonly Appended[]>;

  /** The event that was recorded under a key, e.g. `step-1/policy.decided`. */
  findEvent(tenant: string, sessionId: string, key: string): Promise<AuditEvent | undefined>;

  /** A session's events with `sequence` above `after`, in order; empty for a session of another tenant. */
  readEvents(query: SessionKey & { readonly after: number; readonly limit: number }): Promise<readonly AuditEvent[]>;

  /** What retention has cut from a session; undefined for one that is whole. Events are read from behind it on. */
  gapOf(key: SessionKey): Promise<EventGap | undefined>;

  /** Events of all streams after a position, in commit order. An event never turns up behind a position already read. */
  tail(query: { readonly afterPosition: number; readonly limit: number }): Promise<readonly TailedEvent[]>;

  /** The newest position; 0 for an empty ledger. */
  lastPosition(): Promise<number>;

  /**
   * Calls back after each commit of this process that added events; a hint to read, not a delivery: other processes
   * append too. Returns the function that ends it.
   */
  onAppend(listener: () => void): () => void;

  findSession(key: SessionKey): Promise<SessionRow | undefined>;

  /** The tenant that holds an id. For requests on loopback that name no tenant, and for nothing else. */
  tenantOf(sessionId: string): Promise<TenantId | undefined>;

  /**
   * The tenant's sessions, newest first; a page does not change by what is created after.
   *
   * @throws DomainError `VALIDATION_FAILED` for a cursor or `since` that cannot be read
   */
  listSessions(query: SessionQuery): Promise<SessionRows>;

  /** Sessions of all tenants that have not ended, oldest first. For the reconciler and for stops, and for nothing else. */
  unendedSessions(query: { readonly afterOrdinal: number; readonly limit: number }): Promise<readonly UnendedSession[]>;

  /** @throws DomainError `SESSION_NOT_FOUND` */
  setRunId(input: SessionKey & { readonly runId: string }): Promise<void>;

  /** The record of an idempotency key that is younger than 24 h. */
  findIdempotency(query: { readonly tenant: string; readonly key: string }): Promise<IdempotencyRecord | undefined>;

  /**
   * A text of a data subject, decrypted.
   *
   * @throws DomainError `CONTENT_ERASED`, `CONTENT_KEY_UNAVAILABLE`, `CONTENT_UNREADABLE`
   */
  readContent(query: Subject & { readonly digest: Digest }): Promise<Uint8Array | undefined>;

  /** The keys that the texts are encrypted with, each its subject's own. */
  readonly contentKeys: ContentKeys;

  /** The tenants, each with a ledger of its own in the same order of commits. */
  readonly tenants: TenantStore;

  /** What is cut when its time is over. */
  readonly retention: RetentionStore;

  /** What requests with an idempotency key were answered with. */
  readonly answers: AnswerStore;

  /** How far the audit topic has got these events. */
  readonly relay: RelayStore;

  /** Commits a real write; for readiness. */
  checkWritable(): Promise<void>;

  /** Finishes what is queued, then closes the store; idempotent. */
  close(): Promise<void>;
}
