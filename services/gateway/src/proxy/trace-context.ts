import { randomBytes } from "node:crypto";

/** A `traceparent` of version 00 with ids that are not zero (W3C Trace Context, 3.2.2). */
const valid = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace goes on; a request without one, or with one that is not valid, begins its own, unsampled. */
export function traceparentOf(header: string | string[] | undefined): { traceparent: string; kept: boolean } {
  if (typeof header === "string" && valid.test(header)) return { traceparent: header, kept: true };
  const traceId = randomBytes(16).toString("hex");
  return { traceparent: `00-${traceId}-${randomBytes(8).toString("hex")}-00`, kept: false };
}
