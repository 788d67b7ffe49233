import { DomainError } from "./domain-error.ts";

/**
 * Refuses a value of more than `limit` levels of objects and lists, before any schema walks it. Iterative, so that
 * depth cannot exhaust the stack. `at` is the value's own place in the body.
 */
export function assertDepth(body: unknown, limit: number, at = ""): void {
  let level: { pointer: string; value: unknown }[] = [{ pointer: at, value: body }];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: typeof level = [];
    for (const { pointer, value } of level) {
      if (typeof value !== "object" || value === null) continue;
      if (depth >= limit) {
        const detail = `is nested deeper than ${String(limit)} levels`;
        throw new DomainError("VALIDATION_FAILED", `${pointer}: ${detail}.`, { fields: [{ pointer, detail }] });
      }
      for (const [key, child] of Object.entries(value))
        next.push({ pointer: `${pointer}/${key.slice(0, 64)}`, value: child });
    }
    level = next;
  }
}
