import { Counter, Gauge, Histogram, createMetrics, type ServiceMetrics } from "@soma/kit/metrics";

export interface EngineMetrics extends ServiceMetrics {
  readonly decisions: Counter<"outcome">;
  readonly packLoads: Counter<"result">;
  readonly packsActive: Gauge;
  readonly evaluationSeconds: Histogram;
}

/** A registry of its own for each app. No label names a tenant. */
export function createEngineMetrics(): EngineMetrics {
  const metrics = createMetrics("policy-engine");
  const registers = [metrics.registry];
  return {
    ...metrics,
    decisions: new Counter({
      name: "soma_policy_decisions_total",
      help: "Decisions, by outcome: allowed or denied",
      labelNames: ["outcome"],
      registers,
    }),
    packLoads: new Counter({
      name: "soma_policy_pack_loads_total",
      help: "Changes of rule packs, by result: activated, refused or removed",
      labelNames: ["result"],
      registers,
    }),
    packsActive: new Gauge({ name: "soma_policy_packs_active", help: "Rule packs that decide now", registers }),
    evaluationSeconds: new Histogram({
      name: "soma_policy_evaluation_duration_seconds",
      help: "Time to decide a request, without HTTP",
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    }),
  };
}
