import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

export { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Metrics that every service has. Labels hold routes and codes, never ids of tenants, users or sessions. */
export interface ServiceMetrics {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<"method" | "route" | "status">;
  readonly requestsRefused: Counter<"code">;
  readonly dependencyUp: Gauge<"dependency">;
}

/** A registry of its own for each app, so that several apps can live in one process. */
export function createMetrics(service: string): ServiceMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requestSeconds: new Histogram({
      name: "soma_http_request_duration_seconds",
      help: "Time from the request's arrival to the end of the answer",
      labelNames: ["method", "route", "status"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5],
      registers: [registry],
    }),
    requestsRefused: new Counter({
      name: "soma_http_requests_refused_total",
      help: "Requests answered with an error, by its code",
      labelNames: ["code"],
      registers: [registry],
    }),
    dependencyUp: new Gauge({
      name: "soma_dependency_up",
      help: "1 while the dependency answers, 0 while it does not",
      labelNames: ["dependency"],
      registers: [registry],
    }),
  };
}
