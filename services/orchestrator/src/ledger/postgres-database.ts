import { setTimeout as pause } from "node:timers/promises";
import { Pool, types, type PoolClient } from "pg";
import { auditUnavailable } from "./audit-unavailable.ts";
import { LostRace, postgresFailureOf } from "./postgres-failure.ts";
import type { StoredRow } from "./stored-row.ts";

/** Asks the database within a transaction. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<readonly StoredRow[]>;

interface PostgresDatabaseOptions {
  readonly url: string;
  readonly maxConnections: number;
  /** How long a connection may take. Default `timeoutMs`. */
  readonly connectTimeoutMs?: number;
  /** The longest a call may take: connection, locks and statements together. */
  readonly timeoutMs: number;
}

/** Object identifier of `bigint` in PostgreSQL's catalog; positions fit a number. */
const bigintType = 20;

/** A bounded pool of connections, and transactions of one tenant each. */
export class PostgresDatabase {
  readonly #pool: Pool;
  readonly #timeoutMs: number;

  constructor({ url, maxConnections, timeoutMs, connectTimeoutMs = timeoutMs }: PostgresDatabaseOptions) {
    this.#timeoutMs = timeoutMs;
    this.#pool = new Pool({
      connectionString: url,
      max: maxConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      // The server ends what we cannot: a process that hangs must not hold the newest position for long.
      statement_timeout: timeoutMs,
      lock_timeout: timeoutMs,
      idle_in_transaction_session_timeout: timeoutMs,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: "soma-orchestrator",
      types: {
        getTypeParser: (oid: number, format?: "text" | "binary") =>
          oid === bigintType ? Number : types.getTypeParser(oid, format),
      },
    });
    // An idle connection that ends, e.g. with the server: the pool drops it and opens another when one is needed.
    this.#pool.on("error", () => undefined);
  }

  /** Writes as one tenant: row-level security shows and takes this tenant's rows only. Work that lost a race runs again. */
  write<T>(tenant: string, work: (query: Query) => Promise<T>): Promise<T> {
    return this.#transact((client) => `BEGIN; ${setTenant(client, tenant)}; ${durable}`, work);
  }

  /** Reads as one tenant. A text with U+0000 is in no row, and PostgreSQL cannot even be asked for it. */
  read<T>(tenant: string, work: (query: Query) => Promise<T>): Promise<T> {
    return this.#transact(
      (client) => `BEGIN READ ONLY; ${setTenant(client, tenant)}`,
      (query) => work((text, values = []) => (values.some(hasZero) ? Promise.resolve([]) : query(text, values))),
    );
  }

  /** For what belongs to no tenant: with no tenant set, tables of tenants are empty. */
  withoutTenant<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return this.#transact(() => `BEGIN; ${durable}`, work);
  }

  /** Waits for the connections in use, then closes them all. */
  close(): Promise<void> {
    return this.#pool.end();
  }

  async #transact<T>(begin: (client: PoolClient) => string, work: (query: Query) => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + this.#timeoutMs;
    for (;;) {
      try {
        return await this.#attempt(begin, work, deadlineMs);
      } catch (error) {
        if (!(error instanceof LostRace)) throw error;
        if (performance.now() >= deadlineMs) throw auditUnavailable(error);
      }
      await pause(2 + Math.random() * 8);
    }
  }

  async #attempt<T>(
    begin: (client: PoolClient) => string,
    work: (query: Query) => Promise<T>,
    deadlineMs: number,
  ): Promise<T> {
    const client = await this.#connect();
    // Each client is an emitter: an error between two statements would otherwise end the process.
    client.on("error", ignore);
    let released = false;
    const release = (broken: boolean): void => {
      if (released) return;
      released = true;
      client.off("error", ignore);
      if (broken) client.on("error", ignore);
      client.release(broken);
    };
    // Destroys the connection, which makes the statement in it fail.
    const deadline = setTimeout(() => release(true), Math.max(1, deadlineMs - performance.now()));
    const query: Query = async (text, values) => (await ask(client, text, values)).rows;
    try {
      await ask(client, begin(client));
      const value = await work(query);
      const { command } = await ask(client, "COMMIT");
      // PostgreSQL answers the COMMIT of a transaction that failed with ROLLBACK, which is no error to the driver.
      if (command !== "COMMIT") throw auditUnavailable(new Error(`COMMIT was answered with ${command}`));
      release(false);
      return value;
    } catch (error) {
      // An unanswered ROLLBACK is a broken connection, and closing that one rolls back, too.
      const rolledBack = released ? false : await client.query("ROLLBACK").then(yes, no);
      release(!rolledBack);
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw auditUnavailable(error);
    }
  }
}

/** What the driver answers, as far as it is used. */
interface Answer {
  readonly command: string;
  readonly rows: readonly StoredRow[];
}

async function ask(client: PoolClient, text: string, values?: readonly unknown[]): Promise<Answer> {
  try {
    return await (values === undefined ? client.query<StoredRow>(text) : client.query<StoredRow>(text, [...values]));
  } catch (error) {
    const failure = postgresFailureOf(error);
    if (failure === "race") throw new LostRace("the transaction lost a race", { cause: error });
    if (failure === "store") throw auditUnavailable(error);
    throw error;
  }
}

function setTenant(client: PoolClient, tenant: string): string {
  // The last argument: for this transaction only, so that nothing is left on a connection that another tenant gets.
  return `SELECT set_config('soma.tenant', ${client.escapeLiteral(tenant.replaceAll("\0", "\uFFFD"))}, true)`;
}

/** COMMIT waits for the disk, whatever the server, the database or the role has set; what waits for more is left alone. */
const durable = `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')`;

function hasZero(value: unknown): boolean {
  return typeof value === "string" && value.includes("\0");
}

function ignore(): void {}
function yes(): boolean {
  return true;
}
function no(): boolean {
  return false;
}
