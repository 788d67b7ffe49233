import type { GatewayParts } from "../gateway.ts";
import { tooManyOf } from "./too-many.ts";
import type { Visit } from "./visit.ts";

/** Open routes are bounded for each client address: nobody has said who he is. */
export function checkStrangers({ request }: Visit, { strangers }: GatewayParts): void {
  const waitMs = strangers.take(request.ip);
  if (waitMs > 0) throw tooManyOf("rate", "RATE_LIMITED", "Too many requests came from this address.", waitMs);
}
