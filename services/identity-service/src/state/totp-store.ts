import type { DatabaseSync, StatementSync } from "node:sqlite";
import { inTransaction } from "./state-database.ts";

/** What is remembered of a user's codes. */
export interface TotpHistory {
  /** The newest time step that a code was accepted of. */
  readonly lastStep: number | undefined;
  /** Times of wrong attempts since `since`, oldest first, in milliseconds since 1970. */
  readonly failures: readonly number[];
}

/** What an attempt adds to it. */
export type TotpOutcome =
  | { readonly kind: "accepted"; readonly step: number }
  | { readonly kind: "wrong" }
  | { readonly kind: "locked"; readonly retryAfterSeconds: number };

/** Remembers one-time codes by their time step, never by the code. */
export class TotpStore {
  readonly #database: DatabaseSync;
  readonly #lastStep: StatementSync;
  readonly #failures: StatementSync;
  readonly #accept: StatementSync;
  readonly #fail: StatementSync;
  readonly #forget: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#lastStep = database.prepare("SELECT time_step FROM totp_accepted WHERE tenant = ? AND user = ?");
    this.#failures = database.prepare(
      "SELECT failed_at FROM totp_failures WHERE tenant = ? AND user = ? AND failed_at > ? ORDER BY failed_at",
    );
    this.#accept = database.prepare("INSERT OR REPLACE INTO totp_accepted (tenant, user, time_step) VALUES (?, ?, ?)");
    this.#fail = database.prepare("INSERT INTO totp_failures (tenant, user, failed_at) VALUES (?, ?, ?)");
    this.#forget = database.prepare("DELETE FROM totp_failures WHERE tenant = ? AND user = ?");
    this.#prune = database.prepare("DELETE FROM totp_failures WHERE failed_at < ?");
  }

  /**
   * Judges one attempt and records the outcome in one transaction: of two requests with the same code, on whatever
   * process, one is accepted, and guesses sent at once are counted like guesses sent one by one.
   */
  attempt(
    tenant: string,
    user: string,
    at: { readonly nowMs: number; readonly sinceMs: number },
    judge: (history: TotpHistory) => TotpOutcome,
  ): TotpOutcome {
    return inTransaction(this.#database, () => {
      const lastStep = this.#lastStep.get(tenant, user)?.["time_step"];
      const outcome = judge({
        lastStep: typeof lastStep === "number" ? lastStep : undefined,
        failures: this.#failures.all(tenant, user, at.sinceMs).map((row) => Number(row["failed_at"])),
      });
      if (outcome.kind === "accepted") {
        this.#accept.run(tenant, user, outcome.step);
        this.#forget.run(tenant, user);
      }
      if (outcome.kind === "wrong") this.#fail.run(tenant, user, at.nowMs);
      return outcome;
    });
  }

  prune(beforeMs: number): void {
    this.#prune.run(beforeMs);
  }
}
