import { createMetrics, type Registry } from "@soma/kit/metrics";
import { createGatewayMetrics } from "../../services/gateway/src/gateway-metrics.ts";
import { createIdentityMetrics } from "../../services/identity-service/src/identity-metrics.ts";
import { createMemoryMetrics } from "../../services/memory-gateway/src/memory-metrics.ts";
import { createHopMetrics } from "../../services/orchestrator/src/access/hop/hop-metrics.ts";
import { createRelayMetrics } from "../../services/orchestrator/src/relay/relay-metrics.ts";
import { createCodecMetrics } from "../../services/orchestrator/src/codec/codec-metrics.ts";
import { createSessionMetrics } from "../../services/orchestrator/src/session-metrics.ts";
import { createEngineMetrics } from "../../services/policy-engine/src/metrics.ts";
import { code, page, table } from "./markdown.ts";

const prefix = "soma_";

/** Every metric of ours, from the registries that the services build. */
export async function metricsPage(): Promise<string> {
  const shared = await describe(createMetrics("any").registry);
  const own = async (registry: Registry): Promise<string> => {
    const names = new Set(shared.map(([name]) => name));
    return rowsTable((await describe(registry)).filter(([name]) => !names.has(name)));
  };
  const orchestrator = createMetrics("orchestrator");
  createSessionMetrics(orchestrator.registry);
  createRelayMetrics(orchestrator.registry);
  createHopMetrics(orchestrator.registry);
  const codec = createMetrics("orchestrator-codec");
  createCodecMetrics(codec.registry);
  return page(
    "Metrics",
    "the registries of `packages/kit/src/metrics.ts` and of the services",
    [
      "Every Node service answers `GET /metrics` in the Prometheus text format; a worker on its own does so on `WORKER_PORT`. All",
      "metrics carry the label `service`. No label names a tenant, a user or a session. Beside those below each process has the",
      "default metrics of prom-client (`process_*`, `nodejs_*`). The model service has no such route. `soma_audit_*` are there when brokers are named.",
    ].join("\n"),
    "## All services",
    rowsTable(shared),
    "## Orchestrator",
    await own(orchestrator.registry),
    "## Codec server",
    await own(codec.registry),
    "## Policy engine",
    await own(createEngineMetrics().registry),
    "## Identity service",
    await own(createIdentityMetrics().registry),
    "## Gateway",
    await own(createGatewayMetrics().registry),
    "## Memory gateway",
    await own(createMemoryMetrics().registry),
  );
}

async function describe(registry: Registry): Promise<string[][]> {
  const metrics = (await registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith(prefix));
  const rows = metrics.map(({ name, help, type }) => {
    const labels: unknown = Reflect.get(registry.getSingleMetric(name) ?? {}, "labelNames");
    const names = Array.isArray(labels) ? labels.map(String) : [];
    return [code(name), String(type), names.map((label) => code(label)).join(", "), help];
  });
  return rows.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

function rowsTable(rows: readonly (readonly string[])[]): string {
  return table(["metric", "type", "labels", "meaning"], rows);
}
