import type { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
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
import { GroupCommit } from "./group-commit.ts";
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
import { readMigrations } from "./migration.ts";
import type { AnswerStore } from "./answer-store.ts";
import type { RelayStore } from "./relay-store.ts";
import type { RetentionStore } from "./retention-store.ts";
import type { SessionRow } from "./session-row.ts";
import { SqliteAnswers } from "./sqlite-answers.ts";
import { SqliteContentKeys, type SqliteAccess } from "./sqlite-content-keys.ts";
import { SqliteContents } from "./sqlite-contents.ts";
import { SqliteEvents } from "./sqlite-events.ts";
import { sqliteFailureOf } from "./sqlite-failure.ts";
import { createSameFileCheck, openSqliteFile } from "./sqlite-file.ts";
import { SqliteIdempotency } from "./sqlite-idempotency.ts";
import { migrateSqlite } from "./sqlite-migrate.ts";
import { SqliteRelay } from "./sqlite-relay.ts";
import { SqlitePlainContents } from "./sqlite-plain-contents.ts";
import { SqliteRetention } from "./sqlite-retention.ts";
import { SqliteSessions } from "./sqlite-sessions.ts";
import { SqliteTenantDays } from "./sqlite-tenant-days.ts";
import { SqliteTenantStore } from "./sqlite-tenant-store.ts";
import { SqliteTenants } from "./sqlite-tenants.ts";
import { SqliteWriter } from "./sqlite-writer.ts";
import type { TenantStore } from "./tenant-store.ts";

export interface SqliteLedgerOptions {
  readonly file: string;
  /** Wrap the keys that its texts are encrypted with. */
  readonly masterKeys: MasterKeys;
  /** Writes that may wait at once; one more is `AUDIT_UNAVAILABLE`. Default 1000. */
  readonly maxWaiting?: number;
  /** How long a call waits for another process to let go of the file. Default 5000. */
  readonly timeoutMs?: number;
  /** Upper bound of the database file; beyond it the ledger is as with a full disk. Default none. */
  readonly maxBytes?: number;
  readonly now?: () => Date;
}

/**
 * Opens the ledger in a SQLite file, made and migrated when needed. Several processes may have it open.
 *
 * @throws DomainError `AUDIT_UNAVAILABLE` when the file cannot be used
 * @throws ConfigError when the master keys do not open the ledger's content keys
 * @throws Error when the file's schema does not fit this version
 * @example const ledger = await openSqliteLedger({ file: join(dataDir, "ledger.sqlite"), masterKeys });
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const { file, masterKeys, maxBytes, timeoutMs = 5000, maxWaiting = 1000, now = () => new Date() } = options;
  const migrations = readMigrations(new URL("./migrations/sqlite/", import.meta.url));
  const database = await untilUnlocked(timeoutMs, () => {
    const opened = openSqliteFile(file, maxBytes);
    try {
      migrateSqlite(opened, migrations, now().toISOString());
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  });
  const assertUsable = createSameFileCheck(file);
  const writes = new GroupCommit(database, { maxWaiting, maxGroup: 128, timeoutMs, assertUsable });
  const ledger = new SqliteLedger({ database, writes, masterKeys, timeoutMs, now });
  try {
    await ledger.prepareContents();
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return ledger;
}

interface SqliteLedgerParts {
  readonly database: DatabaseSync;
  readonly writes: GroupCommit;
  readonly masterKeys: MasterKeys;
  readonly timeoutMs: number;
  readonly now: () => Date;
}

class SqliteLedger implements Ledger {
  readonly relay: RelayStore;
  readonly tenants: TenantStore;
  readonly retention: RetentionStore;
  readonly answers: AnswerStore;
  readonly contentKeys: ContentKeys;
  readonly #database: DatabaseSync;
  readonly #writes: GroupCommit;
  readonly #timeoutMs: number;
  readonly #now: () => Date;
  readonly #events: SqliteEvents;
  readonly #sessions: SqliteSessions;
  readonly #contents: SqliteContents;
  readonly #idempotency: SqliteIdempotency;
  readonly #writer: SqliteWriter;
  readonly #vault: ContentVault;
  readonly #plainContents: SqlitePlainContents;
  readonly #listeners = new AppendListeners();
  #closing: Promise<void> | undefined;

  constructor({ database, writes, masterKeys, timeoutMs, now }: SqliteLedgerParts) {
    this.#database = database;
    this.#writes = writes;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#events = new SqliteEvents(database);
    this.#sessions = new SqliteSessions(database);
    this.#contents = new SqliteContents(database);
    this.#idempotency = new SqliteIdempotency(database);
    const tenants = new SqliteTenants(database, this.#events);
    this.#writer = new SqliteWriter(
      {
        events: this.#events,
        sessions: this.#sessions,
        contents: this.#contents,
        idempotency: this.#idempotency,
        tenants,
        tenantDays: new SqliteTenantDays(database),
      },
      now,
    );
    const access: SqliteAccess = {
      write: (work) => this.#writes.submit(work),
      read: (work) => this.#read(work),
      now,
    };
    this.relay = new SqliteRelay(database, access);
    const appending = { ...access, appended: () => this.#listeners.wakeUp() };
    this.tenants = new SqliteTenantStore(tenants, appending);
    this.retention = new SqliteRetention(database, tenants, appending);
    this.answers = new SqliteAnswers(database, access);
    this.contentKeys = new ContentKeys(new SqliteContentKeys(database, access), masterKeys);
    this.#vault = new ContentVault(this.contentKeys);
    this.#plainContents = new SqlitePlainContents(database, access, this.#contents);
  }

  /** What must hold before anybody reads or writes: the master keys fit, and no text stands in clear. */
  async prepareContents(): Promise<void> {
    await this.contentKeys.assertMasterKeys();
    await sealPlainContents(this.#plainContents, this.#vault);
  }

  async openSession(input: OpenSession): Promise<OpenedSession> {
    assertContents(input.contents, [input.created]);
    const opened = await this.#vault.write(input.contents, (contents) =>
      this.#writes.submit(() => this.#writer.openSession(input, contents)),
    );
    if (!opened.duplicate) this.#listeners.wakeUp();
    return opened;
  }

  async append(events: readonly NewEvent[], contents: readonly NewContent[] = []): Promise<readonly Appended[]> {
    assertOneTenant(events);
    assertContents(contents, events);
    const appended = await this.#vault.write(contents, (sealed) =>
      this.#writes.submit(() => this.#writer.append(events, sealed)),
    );
    if (appended.some(({ duplicate }) => !duplicate)) this.#listeners.wakeUp();
    return appended;
  }

  findEvent(tenant: string, sessionId: string, key: string): Promise<AuditEvent | undefined> {
    return this.#read(() => this.#events.find(eventId(tenant, sessionId, key)));
  }

  readEvents(query: SessionKey & { after: number; limit: number }): Promise<readonly AuditEvent[]> {
    return this.#read(() => this.#events.read(query));
  }

  gapOf(key: SessionKey): Promise<EventGap | undefined> {
    return this.#read(() => this.#sessions.gapOf(key));
  }

  tail({ afterPosition, limit }: { afterPosition: number; limit: number }): Promise<readonly TailedEvent[]> {
    return this.#read(() => this.#events.tail(afterPosition, limit));
  }

  lastPosition(): Promise<number> {
    return this.#read(() => this.#events.lastPosition());
  }

  onAppend(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  findSession(key: SessionKey): Promise<SessionRow | undefined> {
    return this.#read(() => this.#sessions.find(key)?.row);
  }

  tenantOf(sessionId: string): Promise<TenantId | undefined> {
    return this.#read(() => this.#sessions.tenantOf(sessionId));
  }

  listSessions(query: SessionQuery): Promise<SessionRows> {
    return this.#read(() => this.#sessions.list(query));
  }

  unendedSessions(query: { afterOrdinal: number; limit: number }): Promise<readonly UnendedSession[]> {
    return this.#read(() => this.#sessions.unended(query));
  }

  setRunId(input: SessionKey & { runId: string }): Promise<void> {
    return this.#writes.submit(() => this.#sessions.setRunId(input));
  }

  findIdempotency({ tenant, key }: { tenant: string; key: string }): Promise<IdempotencyRecord | undefined> {
    return this.#read(() => this.#idempotency.find(tenant, key, this.#now()));
  }

  async readContent({ digest, ...subject }: Subject & { digest: Digest }): Promise<Uint8Array | undefined> {
    const content = await this.#read(() => this.#contents.find(subject, digest));
    return content && this.#vault.open(content);
  }

  checkWritable(): Promise<void> {
    return this.#writes.submit(() => {
      this.#database
        .prepare("INSERT INTO readiness VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at")
        .run(this.#now().toISOString());
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#writes.close().then(() => this.#database.close());
    return this.#closing;
  }

  /** Reads see whole commits only: a write transaction never spans a turn of the event loop. */
  async #read<T>(work: () => T): Promise<T> {
    if (this.#closing !== undefined) throw auditUnavailable(new Error("the ledger is closed"));
    return untilUnlocked(this.#timeoutMs, work);
  }
}

/** Runs work again while another process holds the lock; a store that cannot be used is `AUDIT_UNAVAILABLE`. */
async function untilUnlocked<T>(timeoutMs: number, work: () => T): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      const failure = sqliteFailureOf(error);
      if (failure === undefined) throw error;
      if (failure === "storage" || performance.now() >= deadlineMs) throw auditUnavailable(error);
    }
    await setTimeout(2 + Math.random() * 8);
  }
}
