import { createMetrics } from "@soma/kit/metrics";
import { Prices } from "../../src/budgets/price-table.ts";
import type { DiagnosisDeps } from "../../src/diagnosis/diagnose-session.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { createSessionMetrics } from "../../src/session-metrics.ts";
import type { SessionDeps } from "../../src/sessions/session-deps.ts";
import { createDataConverters } from "../../src/temporal/data-converters.ts";
import { createSessionInspector } from "../../src/temporal/session-inspector.ts";
import { createSessionWorkflows } from "../../src/temporal/session-workflows.ts";
import { TemporalLink } from "../../src/temporal/temporal-link.ts";

const taskQueue = "somagent.session.workflows";

/**
 * The use cases' dependencies on a real ledger, with the real link to a Temporal that is not there, unless an address is
 * given: what needs one is refused. What was seen last of it is the test's to say, as the dependency watch would.
 */
export function createSessionDeps(
  ledger: Ledger,
  seen: { temporalIsUp: boolean; backlogIsFull?: boolean; address?: string } = { temporalIsUp: true },
): AsyncDisposable & { readonly deps: SessionDeps & Pick<DiagnosisDeps, "inspector" | "outages"> } {
  const converters = createDataConverters(ledger, "default");
  const link = new TemporalLink({ address: seen.address ?? "127.0.0.1:1", namespace: "default" }, converters.client);
  return {
    deps: {
      ledger,
      workflows: createSessionWorkflows(link, taskQueue, false),
      taskQueue,
      prices: new Prices(),
      sessionMetrics: createSessionMetrics(createMetrics("test").registry),
      temporalIsUp: () => seen.temporalIsUp,
      backlogIsFull: () => seen.backlogIsFull ?? false,
      inspector: createSessionInspector(link, "default"),
      outages: () => (seen.temporalIsUp ? [] : [{ name: "temporal" }]),
    },
    [Symbol.asyncDispose]: () => link.close(),
  };
}
