import type { SessionMetrics } from "../session-metrics.ts";
import type { SessionWorkflows } from "../temporal/session-workflows.ts";
import type { Prices } from "../budgets/price-table.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** What the use cases of sessions need. */
export interface SessionDeps {
  readonly ledger: Ledger;
  readonly workflows: SessionWorkflows;
  readonly taskQueue: string;
  readonly prices: Prices;
  readonly sessionMetrics: Pick<SessionMetrics, "started">;
  /** True where sessions have memory. */
  readonly memory?: boolean;
  /** What was seen last of Temporal; a start does not begin while it is away. */
  temporalIsUp(): boolean;
  /** True while so many events wait for Kafka that no session may add to them. */
  backlogIsFull(): boolean;
}
