import { startLimits } from "@soma/contracts/session";
import { AccessRefused } from "./access-refused.ts";
import { bodyOf } from "./body-of.ts";
import type { Visit } from "./visit.ts";

/** What says of itself that it is too large; what does not say is counted while it is read. */
export function checkSize({ request, route }: Visit): void {
  const body = bodyOf(request);
  if (body === undefined) return;
  // RFC 9110, 9.3.1: a body of a GET means nothing, and is a way to smuggle one (11.2 of RFC 9112).
  if (route.method === "GET") throw new AccessRefused("size", "PAYLOAD_TOO_LARGE", "A GET takes no body.");
  if (body.bytes !== undefined && body.bytes > startLimits.bodyBytes)
    throw new AccessRefused("size", "PAYLOAD_TOO_LARGE", `The body may have ${String(startLimits.bodyBytes)} bytes.`);
}
