import { randomBytes } from "node:crypto";
import type { AuditEvent } from "@soma/contracts/audit";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import { createMetrics } from "@soma/kit/metrics";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import type { TokenLineage } from "../../src/access/principal.ts";
import type { ActivityDeps } from "../../src/activities/activity-deps.ts";
import { createIdentityClient } from "../../src/adapters/identity-client.ts";
import { createModelClient } from "../../src/adapters/model-client.ts";
import { createPolicyClient } from "../../src/adapters/policy-client.ts";
import type { SessionRow } from "../../src/ledger/session-row.ts";
import { deriveWorkerKeys } from "../../src/permits/worker-key.ts";
import { createSessionMetrics } from "../../src/session-metrics.ts";
import { Prices, type PriceTable } from "../../src/budgets/price-table.ts";
import { DeltaWriter } from "../../src/streams/delta-writer.ts";
import { TenantSnapshots } from "../../src/tenants/tenant-snapshots.ts";
import { openTemporaryLedger } from "../ledger/sqlite-store.ts";
import { openSession, readRow } from "./sessions.ts";

const nowhere = new URL("http://127.0.0.1:1");

interface WorldOptions {
  readonly policy?: URL;
  readonly identity?: { readonly url: URL; readonly credentialFile: string };
  readonly prices?: PriceTable;
  readonly session?: Partial<SessionWorkflowInput>;
  /** The token that the session was started with. */
  readonly token?: TokenLineage;
}

/** What activities run in: a real ledger with one session, real clients, and a clock that the test can move. */
export async function openActivityWorld(options: WorldOptions = {}) {
  const store = await openTemporaryLedger();
  const logged = createTestLog();
  const clock = { aheadMs: 0 };
  const deltas = new DeltaWriter(store.deltas, logged.log);
  const { url = nowhere, credentialFile = "/nowhere" } = options.identity ?? {};
  const deps: ActivityDeps = {
    log: logged.log,
    ledger: store.ledger,
    policy: createPolicyClient(options.policy ?? new URL("/v1/evaluate", nowhere)),
    identity: createIdentityClient(url, credentialFile),
    model: createModelClient(nowhere),
    keys: deriveWorkerKeys(randomBytes(32)),
    deltas,
    snapshots: new TenantSnapshots(store.ledger, () => performance.now() + clock.aheadMs),
    metrics: createSessionMetrics(createMetrics("test").registry),
    conversationBytes: 4_096,
    prices: new Prices(options.prices),
    maxOutputTokens: 1_024,
    now: () => new Date(Date.now() + clock.aheadMs),
  };
  const opened = await openSession(store.ledger, options.session, options.token ? { token: options.token } : {});
  const events = async (): Promise<readonly AuditEvent[]> =>
    deps.ledger.readEvents({ tenant: opened.tenant, sessionId: opened.session_id, after: 0, limit: 1_000 });
  return {
    deps,
    store,
    clock,
    log: logged,
    row: (): Promise<SessionRow> => readRow(deps.ledger, opened),
    events,
    types: async (): Promise<string[]> => (await events()).map(({ type }) => type),
    async [Symbol.asyncDispose]() {
      await deltas.close();
      await Promise.all([deps.policy.close(), deps.identity.close(), deps.model.close()]);
      await store[Symbol.asyncDispose]();
    },
  };
}

export type ActivityWorld = Awaited<ReturnType<typeof openActivityWorld>>;
