import type { GatewayParts } from "../gateway.ts";
import { tooManyOf } from "./too-many.ts";
import type { Visit } from "./visit.ts";

/** Who is not known yet is bounded by his address; open routes have nothing else to bound by. */
export async function checkStrangers(
  { request }: Pick<Visit, "request">,
  { strangers, holdBack }: Pick<GatewayParts, "strangers" | "holdBack">,
): Promise<void> {
  const waitMs = strangers.take(request.ip);
  if (waitMs === 0) return;
  await holdBack.hold(request.ip);
  throw tooManyOf("rate", "RATE_LIMITED", "Too many requests came from this address.", waitMs);
}
