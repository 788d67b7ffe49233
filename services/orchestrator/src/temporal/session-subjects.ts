import { isSessionId } from "@soma/contracts/ids";
import { workflowIdPrefix } from "@soma/contracts/wire-names";
import { LoadingCache } from "../contents/loading-cache.ts";
import type { Subject } from "../contents/subject.ts";
import type { Ledger } from "../ledger/ledger.ts";

/** Whose workflow it is, and in which form its payloads are written. */
export interface SessionSubject extends Subject {
  /**
   * True for a session that a Temporal client started with a plain input: it holds no key of ours, so it is answered in
   * the form in which it asked.
   */
  readonly plain: boolean;
}

const limits = { entries: 5_000, ageMs: 300_000 };

/** Finds the subject of a workflow in the ledger: two reads for each session and process, kept for minutes. */
export class SessionSubjects {
  readonly #ledger: Pick<Ledger, "tenantOf" | "findSession">;
  readonly #known = new LoadingCache<SessionSubject | undefined>(limits);

  constructor(ledger: Pick<Ledger, "tenantOf" | "findSession">) {
    this.#ledger = ledger;
  }

  /** Undefined while the ledger has no session of this workflow. @throws DomainError AUDIT_UNAVAILABLE */
  find(workflowId: string): Promise<SessionSubject | undefined> {
    const sessionId = workflowId.startsWith(workflowIdPrefix) ? workflowId.slice(workflowIdPrefix.length) : "";
    if (!isSessionId(sessionId)) return Promise.resolve(undefined);
    return this.#known.get(workflowId, async () => {
      const tenant = await this.#ledger.tenantOf(sessionId);
      const row = tenant && (await this.#ledger.findSession({ tenant, sessionId }));
      return row && { tenant: row.tenant, user: row.user, plain: row.authn === "temporal-client" };
    });
  }
}
