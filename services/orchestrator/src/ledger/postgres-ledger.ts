import type { AuditEvent, EventGap, NewEvent } from "@soma/contracts/audit";
import type { Digest, TenantId } from "@soma/contracts/ids";
import { ContentKeys } from "../contents/content-keys.ts";
import { ContentVault } from "../contents/content-vault.ts";
import type { MasterKeys } from "../contents/master-keys.ts";
import { sealPlainContents } from "../contents/plain-contents.ts";
import type { Subject } from "../contents/subject.ts";
import { AppendListeners } from "./append-listeners.ts";
import { auditUnavailable } from "./audit-unavailable.ts";
import { assertContents, assertOneTenant, type NewContent } from "./content.ts";
import { eventId } from "./event-chain.ts";
import type {
  Appended,
  IdempotencyRecord,
  Ledger,
  OpenedSession,
  OpenSession,
  SessionKey,
  SessionQuery,
  SessionRows,
  TailedEvent,
  UnendedSession,
} from "./ledger.ts";
import type { AnswerStore } from "./answer-store.ts";
import { readMigrations } from "./migration.ts";
import { PostgresAnswers } from "./postgres-answers.ts";
import { PostgresAppends } from "./postgres-appends.ts";
import { PostgresContentKeys, type PostgresAccess } from "./postgres-content-keys.ts";
import { findContent } from "./postgres-contents.ts";
import { PostgresDatabase } from "./postgres-database.ts";
import { findEvents, lastPosition, readEvents, tailEvents } from "./postgres-events.ts";
import { findIdempotency } from "./postgres-idempotency.ts";
import { assertServerKeepsPromises, migratePostgres } from "./postgres-migrate.ts";
import { openSessionIn } from "./postgres-opening.ts";
import {
  findGap,
  findSession,
  findTenantOf,
  listSessions,
  listUnendedSessions,
  setRunId,
} from "./postgres-sessions.ts";
import { PostgresRetention } from "./postgres-retention.ts";
import { PostgresRelay } from "./postgres-relay.ts";
import { PostgresTenantStore } from "./postgres-tenant-store.ts";
import type { RelayStore } from "./relay-store.ts";
import { PostgresPlainContents } from "./postgres-plain-contents.ts";
import type { RetentionStore } from "./retention-store.ts";
import type { SessionRow } from "./session-row.ts";
import type { TenantStore } from "./tenant-store.ts";

export interface PostgresLedgerOptions {
  /** `postgres://user:password@host:port/database`; the role is an ordinary one. */
  readonly url: string;
  /** Wrap the keys that its texts are encrypted with. */
  readonly masterKeys: MasterKeys;
  /** Connections of this process at most. Default 8. */
  readonly maxConnections?: number;
  /** Calls that may be under way at once; one more is `AUDIT_UNAVAILABLE`. Default 1000. */
  readonly maxWaiting?: number;
  /** The longest that a call takes, whatever the server does. Default 5000. */
  readonly timeoutMs?: number;
  readonly now?: () => Date;
}

/** Those that start at once wait for the one that migrates. */
const migrationTimeoutMs = 60_000;

/**
 * Opens the ledger in a PostgreSQL database (15 or newer), migrated when needed. Any number of processes may have it open.
 *
 * @throws DomainError `AUDIT_UNAVAILABLE` when the server cannot be used
 * @throws ConfigError when server or role cannot keep what the ledger promises, or the master keys do not open its keys
 * @throws Error when the schema does not fit this version
 * @example const ledger = await openPostgresLedger({ url: "postgres://soma@127.0.0.1:5432/soma", masterKeys });
 */
export async function openPostgresLedger(options: PostgresLedgerOptions): Promise<Ledger> {
  const { url, masterKeys, maxConnections = 8, timeoutMs = 5000, maxWaiting = 1000, now = () => new Date() } = options;
  const migrations = readMigrations(new URL("./migrations/postgres/", import.meta.url));
  const starting = new PostgresDatabase({
    url,
    maxConnections: 1,
    timeoutMs: migrationTimeoutMs,
    connectTimeoutMs: timeoutMs,
  });
  try {
    await starting.withoutTenant(async (query) => {
      await assertServerKeepsPromises(query);
      await migratePostgres(query, migrations, now().toISOString());
    });
  } finally {
    await starting.close();
  }
  const database = new PostgresDatabase({ url, maxConnections, timeoutMs });
  const ledger = new PostgresLedger(database, { masterKeys, maxWaiting, timeoutMs, now });
  try {
    await ledger.prepareContents();
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return ledger;
}

interface PostgresLedgerParts {
  readonly masterKeys: MasterKeys;
  readonly maxWaiting: number;
  readonly timeoutMs: number;
  readonly now: () => Date;
}

class PostgresLedger implements Ledger {
  readonly relay: RelayStore;
  readonly tenants: TenantStore;
  readonly retention: RetentionStore;
  readonly answers: AnswerStore;
  readonly contentKeys: ContentKeys;
  readonly #database: PostgresDatabase;
  readonly #limits: { readonly maxWaiting: number; readonly timeoutMs: number };
  readonly #now: () => Date;
  readonly #appends: PostgresAppends;
  readonly #listeners = new AppendListeners();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #vault: ContentVault;
  readonly #plainContents: PostgresPlainContents;
  #closing: Promise<void> | undefined;

  constructor(database: PostgresDatabase, { masterKeys, maxWaiting, timeoutMs, now }: PostgresLedgerParts) {
    this.#database = database;
    this.#limits = { maxWaiting, timeoutMs };
    this.#now = now;
    this.#appends = new PostgresAppends(database, { maxGroup: 128, timeoutMs, now });
    this.relay = new PostgresRelay(database, (work) => this.#call(work));
    const access: PostgresAccess = { database, call: (work) => this.#call(work), now };
    const appending = { ...access, appended: () => this.#listeners.wakeUp() };
    this.tenants = new PostgresTenantStore(appending);
    this.retention = new PostgresRetention(appending);
    this.answers = new PostgresAnswers(access);
    this.contentKeys = new ContentKeys(new PostgresContentKeys(access), masterKeys);
    this.#vault = new ContentVault(this.contentKeys);
    this.#plainContents = new PostgresPlainContents(access);
  }

  /** What must hold before anybody reads or writes: the master keys fit, and no text stands in clear. */
  async prepareContents(): Promise<void> {
    await this.contentKeys.assertMasterKeys();
    await sealPlainContents(this.#plainContents, this.#vault);
  }

  async openSession(input: OpenSession): Promise<OpenedSession> {
    assertContents(input.contents, [input.created]);
    const opened = await this.#vault.write(input.contents, (contents) =>
      this.#call(() =>
        this.#database.write(input.created.tenant, (query) => openSessionIn(query, input, contents, this.#now())),
      ),
    );
    if (!opened.duplicate) this.#listeners.wakeUp();
    return opened;
  }

  async append(events: readonly NewEvent[], contents: readonly NewContent[] = []): Promise<readonly Appended[]> {
    assertOneTenant(events);
    assertContents(contents, events);
    const [first] = events;
    if (first === undefined) return [];
    const appended = await this.#vault.write(contents, (sealed) =>
      this.#call(() => this.#appends.submit(first.tenant, events, sealed)),
    );
    if (appended.some(({ duplicate }) => !duplicate)) this.#listeners.wakeUp();
    return appended;
  }

  findEvent(tenant: string, sessionId: string, key: string): Promise<AuditEvent | undefined> {
    const id = eventId(tenant, sessionId, key);
    return this.#call(() => this.#database.read(tenant, async (query) => (await findEvents(query, [id])).get(id)));
  }

  readEvents(query: SessionKey & { after: number; limit: number }): Promise<readonly AuditEvent[]> {
    return this.#call(() => this.#database.read(query.tenant, (ask) => readEvents(ask, query)));
  }

  gapOf(key: SessionKey): Promise<EventGap | undefined> {
    return this.#call(() => this.#database.read(key.tenant, (query) => findGap(query, key)));
  }

  tail({ afterPosition, limit }: { afterPosition: number; limit: number }): Promise<readonly TailedEvent[]> {
    return this.#call(() => this.#database.withoutTenant((query) => tailEvents(query, afterPosition, limit)));
  }

  lastPosition(): Promise<number> {
    return this.#call(() => this.#database.withoutTenant(lastPosition));
  }

  onAppend(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  findSession(key: SessionKey): Promise<SessionRow | undefined> {
    return this.#call(() => this.#database.read(key.tenant, async (query) => (await findSession(query, key))?.row));
  }

  async tenantOf(sessionId: string): Promise<TenantId | undefined> {
    if (sessionId.includes("\0")) return undefined;
    return this.#call(() => this.#database.withoutTenant((query) => findTenantOf(query, sessionId)));
  }

  listSessions(wanted: SessionQuery): Promise<SessionRows> {
    return this.#call(() => this.#database.read(wanted.tenant, (query) => listSessions(query, wanted)));
  }

  unendedSessions(wanted: { afterOrdinal: number; limit: number }): Promise<readonly UnendedSession[]> {
    return this.#call(() => this.#database.withoutTenant((query) => listUnendedSessions(query, wanted)));
  }

  setRunId(input: SessionKey & { runId: string }): Promise<void> {
    return this.#call(() => this.#database.write(input.tenant, (query) => setRunId(query, input)));
  }

  findIdempotency({ tenant, key }: { tenant: string; key: string }): Promise<IdempotencyRecord | undefined> {
    return this.#call(() => this.#database.read(tenant, (query) => findIdempotency(query, tenant, key, this.#now())));
  }

  async readContent({ digest, ...subject }: Subject & { digest: Digest }): Promise<Uint8Array | undefined> {
    const content = await this.#call(() =>
      this.#database.read(subject.tenant, (query) => findContent(query, subject, digest)),
    );
    return content && this.#vault.open(content);
  }

  checkWritable(): Promise<void> {
    return this.#call(() =>
      this.#database.withoutTenant(async (query) => {
        await query(
          "INSERT INTO soma.readiness VALUES (true, $1) ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at",
          [this.#now().toISOString()],
        );
      }),
    );
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => this.#database.close());
    return this.#closing;
  }

  /** One call to the database: counted, refused when too many are under way, and never longer than the time allowed. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    const { maxWaiting, timeoutMs } = this.#limits;
    if (this.#closing !== undefined) throw auditUnavailable(new Error("the ledger is closed"));
    if (this.#underWay.size >= maxWaiting) throw auditUnavailable(new Error(`${maxWaiting} calls are under way`));
    const working = work();
    this.#underWay.add(working);
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => deadline.reject(auditUnavailable(new Error(`no answer within ${timeoutMs} ms`))),
      timeoutMs,
    );
    try {
      return await Promise.race([working, deadline.promise]);
    } finally {
      clearTimeout(timer);
      void working.catch(() => undefined).finally(() => this.#underWay.delete(working));
    }
  }
}
