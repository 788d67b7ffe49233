import { Context } from "@temporalio/activity";
import { isTerminal } from "@soma/contracts/session";
import { workflowIdPrefix } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { readSessionInput } from "../sessions/session-input.ts";
import { createdEvent } from "../sessions/created-event.ts";
import { sessionIdTaken } from "../ledger/session-id-taken.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { foundTenant } from "../tenants/found-tenant.ts";
import type { ActivityDeps } from "./activity-deps.ts";

/**
 * The row of the session that this workflow runs. A session that was started by a Temporal client, not by the API, gets
 * its row here, before anything else happens in it.
 *
 * @throws DomainError SESSION_ID_TAKEN when the id is held by another session: a workflow cannot act in its name.
 */
export async function knownSession(deps: ActivityDeps, input: unknown): Promise<SessionRow> {
  const session = readSessionInput(input);
  const { workflowExecution, taskQueue } = Context.current().info;
  if (workflowExecution?.workflowId !== workflowIdPrefix + session.session_id) {
    throw new DomainError("VALIDATION_FAILED", "The workflow id must be 'session-' and the session id.");
  }
  const { created, contents } = createdEvent(session, { role: "operator", authn: "temporal-client", taskQueue });
  const found = await deps.ledger.findSession({ tenant: session.tenant, sessionId: session.session_id });
  if (found) {
    const same =
      found.user === session.user &&
      found.prompt_digest === created.data.prompt_digest &&
      found.prompt_format === created.data.prompt_format &&
      found.metadata_digest === created.data.metadata_digest &&
      found.model === created.data.model &&
      found.mode === created.data.mode;
    if (!same) throw sessionIdTaken();
    // A start that was given up, or a session that was ended from outside: a workflow that runs late does nothing.
    if (isTerminal(found.status))
      throw new DomainError("SESSION_ENDED", "The session has ended; nothing more is done in it.");
    return found;
  }
  const { row } = await deps.ledger.openSession({
    created,
    contents,
    workflowId: workflowExecution.workflowId,
    runId: workflowExecution.runId,
    // Counted and not refused: the workflow runs, and its steps are held to the tenant's status and day.
    admission: { created: foundTenant(session.tenant), enforced: false },
  });
  return row;
}

/** The row of a session that must be known. */
export async function findKnownSession(deps: ActivityDeps, tenant: string, sessionId: string): Promise<SessionRow> {
  const row = await deps.ledger.findSession({ tenant, sessionId });
  if (!row) throw new DomainError("SESSION_NOT_FOUND", "No session has this id.");
  return row;
}
