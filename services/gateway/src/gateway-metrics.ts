import { Counter, createMetrics, Gauge, type ServiceMetrics } from "@soma/kit/metrics";

export interface GatewayMetrics extends ServiceMetrics {
  readonly refusals: Counter<"reason">;
  readonly tokens: Counter<"result">;
  readonly upstreamFailures: Counter<"dependency" | "failure">;
  readonly openStreams: Gauge;
  readonly connectionsDropped: Counter;
  readonly reportsDelivered: Counter;
  readonly reportsLost: Counter;
}

/** The service's metrics. No label names a tenant, a user or an address. */
export function createGatewayMetrics(): GatewayMetrics {
  const metrics = createMetrics("gateway");
  const registers = [metrics.registry];
  return {
    ...metrics,
    refusals: new Counter({
      name: "soma_gateway_refusals_total",
      help: "Requests refused at the door, by reason",
      labelNames: ["reason"],
      registers,
    }),
    tokens: new Counter({
      name: "soma_gateway_tokens_total",
      help: "Tokens judged: cached, verified, refused, or unavailable because the identity service gave no answer",
      labelNames: ["result"],
      registers,
    }),
    upstreamFailures: new Counter({
      name: "soma_gateway_upstream_failures_total",
      help: "Requests whose upstream failed: unavailable (nothing was sent yet) or cut (the answer broke off)",
      labelNames: ["dependency", "failure"],
      registers,
    }),
    openStreams: new Gauge({ name: "soma_gateway_streams_open", help: "Open streams of all tenants", registers }),
    connectionsDropped: new Counter({
      name: "soma_gateway_connections_dropped_total",
      help: "Connections closed unanswered because GATEWAY_MAX_CONNECTIONS were open",
      registers,
    }),
    reportsDelivered: new Counter({
      name: "soma_gateway_access_reports_delivered_total",
      help: "Reports of refusals that are in the ledgers",
      registers,
    }),
    reportsLost: new Counter({
      name: "soma_gateway_access_reports_lost_total",
      help: "Reports of refusals that were given up, because the orchestrator did not take them for too long",
      registers,
    }),
  };
}
