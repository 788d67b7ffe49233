import type { Context } from "@temporalio/activity";

/**
 * Often enough that a dead worker is noticed and a cancellation arrives within seconds; not more often, because each
 * heartbeat is a database transaction of Temporal.
 */
const heartbeatMs = 3_000;

/** Tells Temporal again and again that the activity is alive, until the timer is cleared. */
export function beginHeartbeats(context: Context): NodeJS.Timeout {
  return setInterval(() => {
    context.heartbeat();
  }, heartbeatMs);
}
