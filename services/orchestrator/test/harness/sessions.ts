import type { NewEvent } from "@soma/contracts/audit";
import type { SessionWorkflowInput } from "@soma/contracts/session";
import type { AuthenticationKind } from "@soma/contracts/wire-names";
import type { TokenLineage } from "../../src/access/principal.ts";
import { eventContext } from "../../src/activities/step-events.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { SessionRow } from "../../src/ledger/session-row.ts";
import { createdEvent } from "../../src/sessions/created-event.ts";
import { readSessionInput } from "../../src/sessions/session-input.ts";

/** A session of the tenant that the project ships a pack and a registry for. */
export const demoSession: SessionWorkflowInput = {
  session_id: "sess-1",
  tenant: "tenant-demo",
  user: "user-demo",
  prompt: "kick off a demo",
};

/** Opens a session as the API does, without a workflow: what an activity finds when it begins. */
export async function openSession(
  ledger: Ledger,
  input: Partial<SessionWorkflowInput> = {},
  origin: { role?: string; authn?: AuthenticationKind; token?: TokenLineage } = {},
): Promise<SessionRow> {
  const session = readSessionInput({ ...demoSession, ...input });
  const { created, contents } = createdEvent(session, {
    role: "operator",
    authn: "unauthenticated-loopback",
    taskQueue: "somagent.session.workflows",
    ...origin,
  });
  const { row } = await ledger.openSession({ created, contents, workflowId: `session-${session.session_id}` });
  return row;
}

/** Sample events as this session's own. */
export function eventsOf(row: SessionRow, events: readonly NewEvent[]): NewEvent[] {
  return events.map((event) => Object.assign({}, event, eventContext(row)));
}

/** The session as the ledger holds it now. */
export async function readRow(ledger: Ledger, { tenant, session_id }: SessionRow): Promise<SessionRow> {
  const row = await ledger.findSession({ tenant, sessionId: session_id });
  if (!row) throw new Error(`no session ${session_id}`);
  return row;
}

/** The types of a session's events, in order. */
export async function eventTypes(ledger: Ledger, { tenant, session_id }: SessionRow): Promise<string[]> {
  const events = await ledger.readEvents({ tenant, sessionId: session_id, after: 0, limit: 1_000 });
  return events.map(({ type }) => type);
}
