import { Counter, createMetrics, type ServiceMetrics } from "@soma/kit/metrics";

export interface MemoryMetrics extends ServiceMetrics {
  readonly memories: Counter<"outcome">;
  readonly expired: Counter;
  readonly erasures: Counter;
}

/** A registry of its own for each app. No label names a tenant or a user. */
export function createMemoryMetrics(): MemoryMetrics {
  const metrics = createMetrics("memory-gateway");
  const registers = [metrics.registry];
  return {
    ...metrics,
    memories: new Counter({
      name: "soma_memory_remembered_total",
      help: "Memories stored, by outcome: created or replaced",
      labelNames: ["outcome"],
      registers,
    }),
    expired: new Counter({
      name: "soma_memory_expired_total",
      help: "Memories removed because their time was over",
      registers,
    }),
    erasures: new Counter({
      name: "soma_memory_erasures_total",
      help: "Subjects of whom all was erased; again of one without a memory not counted",
      registers,
    }),
  };
}
