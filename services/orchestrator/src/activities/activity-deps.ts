import type { Logger } from "@soma/kit/logger";
import type { IdentityClient } from "../adapters/identity-client.ts";
import type { MemoryClient } from "../adapters/memory-client.ts";
import type { ModelClient } from "../adapters/model-client.ts";
import type { PolicyClient } from "../adapters/policy-client.ts";
import type { Prices } from "../budgets/price-table.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { WorkerKeys } from "../permits/worker-key.ts";
import type { SessionMetrics } from "../session-metrics.ts";
import type { DeltaWriter } from "../streams/delta-writer.ts";
import type { TenantSnapshots } from "../tenants/tenant-snapshots.ts";

/** All that activities reach the world with; handed in when the worker is built. */
export interface ActivityDeps {
  readonly log: Logger;
  readonly ledger: Ledger;
  readonly policy: PolicyClient;
  readonly identity: IdentityClient;
  readonly model: ModelClient;
  /** Absent where no memory gateway is configured. */
  readonly memory?: MemoryClient;
  readonly keys: WorkerKeys;
  readonly deltas: DeltaWriter;
  readonly snapshots: TenantSnapshots;
  readonly metrics: SessionMetrics;
  /** How much of a conversation the model is given again, in bytes of its texts. */
  readonly conversationBytes: number;
  readonly prices: Prices;
  /** What a model call may write at most where a budget or a quota bounds it. */
  readonly maxOutputTokens: number;
  now(): Date;
}
