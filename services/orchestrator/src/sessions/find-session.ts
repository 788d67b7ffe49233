import { isSessionId, type TenantId } from "@soma/contracts/ids";
import { workflowIdPrefix } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import type { Ledger } from "../ledger/ledger.ts";
import type { SessionRow } from "../ledger/session-row.ts";

/**
 * Finds a session by its id or its workflow id, in one tenant, from the ledger alone: Temporal is not asked, so a
 * foreign id takes the same way as an unknown one. Without a tenant (on loopback, when the request names none) the
 * session's own is taken.
 *
 * @throws DomainError SESSION_NOT_FOUND: the same for an id that never was and one that is another tenant's.
 */
export async function findSession(ledger: Ledger, tenant: TenantId | undefined, id: string): Promise<SessionRow> {
  const sessionId = id.startsWith(workflowIdPrefix) ? id.slice(workflowIdPrefix.length) : id;
  const owner = tenant ?? (isSessionId(sessionId) ? await ledger.tenantOf(sessionId) : undefined);
  const row =
    isSessionId(sessionId) && owner !== undefined ? await ledger.findSession({ tenant: owner, sessionId }) : undefined;
  if (!row) throw new DomainError("SESSION_NOT_FOUND", "No session has this id.");
  return row;
}
