/** Errors whose message is written for a person and needs no stack. */
const spoken = new Set([
  "AbortError",
  "AlreadyRunningError",
  "DemoError",
  "NotSetUpError",
  "PartFailedError",
  "PortTakenError",
  "UsageError",
]);

/** What to print of an error that ends a program: its message, and its stack when it is a defect of ours. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return spoken.has(error.name) ? error.message : (error.stack ?? error.message);
}
