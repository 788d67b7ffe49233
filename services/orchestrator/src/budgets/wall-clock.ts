import type { Ledger } from "../ledger/ledger.ts";
import { ageOf, budgetExceeded } from "../ledger/session-budget.ts";
import type { SessionRow } from "../ledger/session-row.ts";

/**
 * Also for an intent that is recorded: an attempt that comes late begins nothing.
 *
 * @throws ShortageError BUDGET_EXCEEDED
 */
export function assertTimeLeft(row: Pick<SessionRow, "budget" | "created_at">, now: Date): void {
  const limit = row.budget?.limit.wall_seconds;
  const used = ageOf(row, now.toISOString());
  if (limit !== undefined && used >= limit) throw wallIsOver(limit, used);
}

interface WallDeps {
  readonly ledger: Pick<Ledger, "findSession">;
  now(): Date;
}

/** The longest that a timer of Node's can wait. */
const longestMs = 2_147_483_647;

/**
 * Ends what runs when the session's wall_seconds are over. An extension that came meanwhile is heard when the time is up:
 * the session is read again before anything ends.
 */
export class WallClock {
  readonly #deps: WallDeps;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: WallDeps) {
    this.#deps = deps;
  }

  /** Fires with the reason BUDGET_EXCEEDED. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(row: SessionRow): void {
    const limit = row.budget?.limit.wall_seconds;
    if (limit === undefined) return;
    const leftMs = Date.parse(row.created_at) + limit * 1000 - this.#deps.now().getTime();
    this.#timer = setTimeout(() => void this.#timeIsUp(row), Math.min(Math.max(0, leftMs), longestMs));
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #timeIsUp(row: SessionRow): Promise<void> {
    const { tenant, session_id: sessionId } = row;
    // A ledger that cannot be read says nothing of an extension; what is known holds.
    const current = (await this.#deps.ledger.findSession({ tenant, sessionId }).catch(() => undefined)) ?? row;
    if (this.#timer === undefined) return;
    const limit = current.budget?.limit.wall_seconds;
    if (limit === undefined) return;
    const used = ageOf(current, this.#deps.now().toISOString());
    if (used < limit) return this.start(current);
    this.#controller.abort(wallIsOver(limit, used));
  }
}

function wallIsOver(limit: number, used: number) {
  return budgetExceeded({ dimension: "wall_seconds", limit, used, needed: 0 });
}
