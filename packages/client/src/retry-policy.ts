import type { SomaError } from "./soma-error.ts";

const retriedStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const firstDelayMs = 200;
const longestDelayMs = 5_000;

/** True when the same request may succeed later: it did not arrive, or who answered says that it is busy. */
export function isPassing(error: SomaError): boolean {
  // With a key of ours, the first attempt still being under way is what a lost answer looks like.
  if (error.code === "IDEMPOTENCY_IN_PROGRESS") return true;
  if (error.code === "CONNECTION_FAILED" || error.code === "TIMED_OUT") return true;
  return retriedStatuses.has(error.status);
}

/**
 * How long to wait before the next attempt, in milliseconds: a random part of a bound that doubles, so that clients
 * that failed together do not come back together; never less than the server asks for. `random` is in [0, 1).
 */
export function retryDelayMs(failures: number, retryAfterSeconds: number | undefined, random: number): number {
  const bound = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 16));
  const jitter = bound / 4 + random * bound * 0.75;
  return retryAfterSeconds === undefined ? jitter : retryAfterSeconds * 1000 + random * firstDelayMs;
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
