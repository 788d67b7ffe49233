import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "./domain-error.ts";
import type { Logger } from "./logger.ts";

interface Passes {
  /** One look at what is to be done. */
  readonly pass: () => Promise<void>;
  /** Between two; each adds up to a third, so that several processes do not look at the same moment. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** What the log says of a pass that failed for a reason that nobody foresaw. */
  readonly failed: string;
}

/** Makes one pass after the other until the signal; resolves when the last one has ended. */
export async function runPasses({ pass, intervalMs, signal, log, failed }: Passes): Promise<void> {
  for (;;) {
    await sleep(intervalMs * (1 + Math.random() / 3), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await pass();
    } catch (error) {
      // That something is away is said by the dependency watch, and the next pass comes soon.
      if (!(error instanceof DomainError)) log.error({ err: error }, failed);
    }
  }
}
