import type { GatewayParts } from "../gateway.ts";
import { tooManyOf } from "./too-many.ts";
import { asksForStream, callerOf, type Visit } from "./visit.ts";

/** `streams` of the tenant, and GATEWAY_MAX_STREAMS of all. A body is what asks for some of them. */
export async function checkStreams(visit: Visit, { tenants, streams, metrics }: GatewayParts): Promise<void> {
  if (!asksForStream(visit)) return;
  const { tenant } = callerOf(visit);
  const { quotas } = await tenants.admissionOf(tenant);
  const leave = streams.enter(tenant, quotas.streams);
  if (leave === undefined)
    throw tooManyOf(
      "streams",
      "TOO_MANY_STREAMS",
      "As many streams are open as may be; read pages, or try again.",
      5_000,
    );
  visit.leaveConcurrency?.();
  metrics.openStreams.set(streams.all);
  visit.reply.raw.once("close", () => {
    leave();
    metrics.openStreams.set(streams.all);
  });
}
