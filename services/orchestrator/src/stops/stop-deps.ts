import type { Manager } from "../access/manager.ts";
import type { IdentityClient } from "../adapters/identity-client.ts";
import type { Subject } from "../contents/subject.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionWorkflows } from "../temporal/session-workflows.ts";
import type { TenantDeps } from "../tenants/tenant-deps.ts";

/** How long a stop takes at most. In milliseconds. */
export interface StopTimes {
  /** After this no further session is asked to end. */
  readonly askingMs: number;
  /** So long it is waited for the ends of those that were asked. */
  readonly endingMs: number;
}

export const defaultStopTimes: StopTimes = { askingMs: 20_000, endingMs: 6_000 };

/** What the use cases need that end other people's sessions. */
export interface StopDeps {
  readonly ledger: Ledger;
  readonly workflows: Pick<SessionWorkflows, "cancel" | "terminate">;
  readonly identity: Pick<IdentityClient, "revokeById">;
  readonly tenants: TenantDeps;
  readonly stopTimes?: StopTimes;
  /**
   * Erases what the memory gateway keeps of a subject; absent where there is none.
   *
   * @throws DomainError MEMORY_UNAVAILABLE and the like: it is not known to be erased
   */
  readonly eraseMemory?: (subject: Subject, manager: Manager) => Promise<void>;
}
