import type { Logger } from "@soma/kit/logger";
import { PassLoop } from "@soma/kit/pass-loop";
import { workThrough } from "@soma/kit/work-through";
import type { Ledger, UnendedSession } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { recordEnd } from "../sessions/record-end.ts";
import type { SessionMetrics } from "../session-metrics.ts";
import type { SessionWorkflows, WorkflowState } from "../temporal/session-workflows.ts";
import { defaultPatience, judgeSession, type Patience, type Repair } from "./judge-session.ts";

interface ReconcilerOptions {
  readonly ledger: Ledger;
  readonly workflows: Pick<SessionWorkflows, "describe" | "cancel">;
  readonly log: Logger;
  readonly metrics: SessionMetrics;
  readonly now: () => Date;
  readonly patience?: Patience;
  /** Between two passes; each process adds up to a third, so that several do not ask at the same moment. */
  readonly intervalMs?: number;
}

/** Of one pass: with the interval it bounds what Temporal is asked, to 20 calls a second. */
const pageSize = 200;
const atOnce = 8;

/**
 * Brings the index of sessions to what Temporal says, where no workflow can do it any more: sessions that were ended
 * from outside, and starts that died between the row and the workflow; and brings a recorded request to cancel to a
 * workflow that has not got it. Every worker runs one; what two of them repair
 * at once is repaired once, because each repair is an event with a key.
 */
export class SessionReconciler {
  readonly #options: ReconcilerOptions;
  readonly #patience: Patience;
  readonly #loop: PassLoop;
  /** Since when a workflow is seen to be missing, by session. */
  readonly #missingSince = new Map<string, number>();
  /** In this round through all sessions. */
  readonly #seen = new Set<string>();
  #afterOrdinal = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { log, intervalMs = 10_000 } = options;
    this.#loop = new PassLoop({ pass: () => this.pass(), intervalMs, log, failed: "sessions could not be reconciled" });
    this.#patience = options.patience ?? defaultPatience;
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Looks at the next page of sessions that have not ended, and starts over after the last one. */
  async pass(): Promise<void> {
    const page = await this.#options.ledger.unendedSessions({ afterOrdinal: this.#afterOrdinal, limit: pageSize });
    await workThrough(page, atOnce, (session) => this.#lookAt(session));
    for (const { sessionId } of page) this.#seen.add(sessionId);
    if (page.length === pageSize) {
      this.#afterOrdinal = page.at(-1)?.ordinal ?? 0;
      return;
    }
    this.#afterOrdinal = 0;
    // Those that did not come by in a whole round have ended.
    for (const sessionId of this.#missingSince.keys())
      if (!this.#seen.has(sessionId)) this.#missingSince.delete(sessionId);
    this.#seen.clear();
  }

  async #lookAt({ tenant, sessionId }: UnendedSession): Promise<void> {
    const { ledger, workflows, now } = this.#options;
    const row = await ledger.findSession({ tenant, sessionId });
    if (!row || now().getTime() - Date.parse(row.updated_at) < this.#patience.quietMs) return;
    const workflow = await workflows.describe(sessionId);
    const missingForMs = this.#missingFor(sessionId, workflow);
    const repair = judgeSession(row, workflow, { now: now(), missingForMs, patience: this.#patience });
    if (repair) await this.#repair(row, repair);
  }

  #missingFor(sessionId: string, workflow: WorkflowState | undefined): number {
    if (workflow) {
      this.#missingSince.delete(sessionId);
      return 0;
    }
    const since = this.#missingSince.get(sessionId) ?? performance.now();
    this.#missingSince.set(sessionId, since);
    return performance.now() - since;
  }

  async #repair(seen: SessionRow, repair: Repair): Promise<void> {
    const { ledger, log, metrics, workflows } = this.#options;
    const { tenant, session_id } = seen;
    if (repair.kind === "cancel") {
      if (await workflows.cancel(session_id)) metrics.reconciled.inc({ repair: "cancel" });
      return;
    }
    if (repair.kind === "run") {
      await ledger.setRunId({ tenant, sessionId: session_id, runId: repair.runId });
      metrics.reconciled.inc({ repair: "run" });
      return;
    }
    // The workflow may have recorded its end and closed between the two looks, or somebody else was faster.
    if (!(await recordEnd(ledger, seen, repair.end))) return;
    const { status } = repair.end;
    const code = repair.end.status === "failed" ? repair.end.error.code : undefined;
    metrics.reconciled.inc({ repair: status });
    metrics.ended.inc({ status });
    log.warn({ session_id, status, ...(code !== undefined && { code }) }, "a session had ended without saying so");
  }
}
