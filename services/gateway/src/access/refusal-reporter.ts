import { randomUUID } from "node:crypto";
import type { AccessRefusal, AccessReport, AccessReports } from "@soma/contracts/access";
import type { TenantId } from "@soma/contracts/ids";
import type { Logger } from "@soma/kit/logger";
import type { GatewayMetrics } from "../gateway-metrics.ts";

const windowMs = 10_000;
/** Kinds of one window; what goes beyond is reported without its tenant. */
const maxKinds = 200;
const maxWaiting = 2_000;
const maxInOneRequest = 200;
const logEveryMs = 60_000;

interface ReporterDeps {
  /** Rejects when the reports are not in the ledgers. */
  readonly send: (reports: AccessReports) => Promise<void>;
  readonly metrics: Pick<GatewayMetrics, "refusals" | "reportsDelivered" | "reportsLost">;
  readonly log: Logger;
  readonly windowMs?: number;
}

interface Tally {
  readonly tenant: TenantId | undefined;
  readonly reason: AccessRefusal;
  count: number;
  readonly firstAt: string;
  lastAt: string;
}

/**
 * Counts refusals and tells the orchestrator of them once in a window: one report for each tenant and reason, however
 * many there were. What it does not take waits, bounded, and is sent again under the same id.
 */
export class RefusalReporter {
  readonly #deps: ReporterDeps;
  readonly #timer: NodeJS.Timeout;
  #window = new Map<string, Tally>();
  readonly #waiting: AccessReport[] = [];
  #sending: Promise<void> | undefined;
  #loggedAt = -Infinity;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.flush(), deps.windowMs ?? windowMs);
    this.#timer.unref();
  }

  /** `tenant` only when a verified token names it. */
  refused(reason: AccessRefusal, tenant: TenantId | undefined): void {
    this.#deps.metrics.refusals.inc({ reason });
    const key = `${reason} ${tenant ?? ""}`;
    const now = new Date().toISOString();
    const known = this.#window.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.lastAt = now;
    } else if (tenant !== undefined && this.#window.size >= maxKinds) {
      this.#add(`${reason} `, undefined, reason, now);
    } else {
      this.#add(key, tenant, reason, now);
    }
  }

  /** Ends the window and sends what waits; never fails. */
  async flush(): Promise<void> {
    this.#close();
    await (this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    }));
  }

  /** Sends a last time; what is not taken then is lost, and counted. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    await this.flush();
    this.#lose(this.#waiting.splice(0).length);
  }

  #add(key: string, tenant: TenantId | undefined, reason: AccessRefusal, now: string): void {
    const known = this.#window.get(key);
    if (known === undefined) this.#window.set(key, { tenant, reason, count: 1, firstAt: now, lastAt: now });
    else {
      known.count += 1;
      known.lastAt = now;
    }
  }

  #close(): void {
    const ended = this.#window;
    this.#window = new Map();
    for (const { tenant, reason, count, firstAt, lastAt } of ended.values())
      this.#waiting.push({
        report_id: randomUUID(),
        ...(tenant !== undefined && { tenant }),
        reason,
        count,
        first_at: firstAt,
        last_at: lastAt,
      });
    // The oldest go first: what happens now is what somebody can still do something about.
    if (this.#waiting.length > maxWaiting)
      this.#lose(this.#waiting.splice(0, this.#waiting.length - maxWaiting).length);
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const reports = this.#waiting.slice(0, maxInOneRequest);
      try {
        await this.#deps.send({ reports });
      } catch (error) {
        this.#say(error);
        return;
      }
      const sent = new Set(reports);
      this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((report) => !sent.has(report)));
      this.#deps.metrics.reportsDelivered.inc(reports.length);
    }
  }

  #lose(count: number): void {
    if (count > 0) this.#deps.metrics.reportsLost.inc(count);
  }

  #say(error: unknown): void {
    if (performance.now() - this.#loggedAt < logEveryMs) return;
    this.#loggedAt = performance.now();
    const count = this.#waiting.length;
    this.#deps.log.warn({ dependency: "orchestrator", count, err: error }, "reports of refusals wait to be taken");
  }
}
