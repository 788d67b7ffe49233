import { genesisHash } from "@soma/contracts/audit";
import type { SealedContent } from "../contents/content-vault.ts";
import { saysTheSame, sealEvent } from "./event-chain.ts";
import type { OpenedSession, OpenSession } from "./ledger.ts";
import { insertContents } from "./postgres-contents.ts";
import type { Query } from "./postgres-database.ts";
import { insertEvents, readEvents } from "./postgres-events.ts";
import { LostRace } from "./postgres-failure.ts";
import { findIdempotency, insertIdempotency } from "./postgres-idempotency.ts";
import { findSession, insertSession } from "./postgres-sessions.ts";
import { idempotencyKeyReused, sessionNotFound } from "./refusals.ts";
import { sessionIdTaken } from "./session-id-taken.ts";
import { projectSession } from "./session-projection.ts";

/** What opening a session does inside its transaction. Locks in one order: session, key, contents, newest position. */
export async function openSessionIn(
  query: Query,
  input: OpenSession,
  contents: readonly SealedContent[],
  now: Date,
): Promise<OpenedSession> {
  const { created, idempotency } = input;
  const known = idempotency && (await findIdempotency(query, created.tenant, idempotency.key, now));
  if (known !== undefined) {
    if (known.requestDigest !== idempotency?.requestDigest) throw idempotencyKeyReused();
    // The key decides and not the id: an id that the service makes differs from one try to the next.
    const head = await findSession(query, { tenant: created.tenant, sessionId: known.sessionId });
    if (head === undefined) throw sessionNotFound();
    return { row: head.row, duplicate: true };
  }
  const existing = await findExisting(query, input);
  if (existing !== undefined) {
    await keepKey(query, input, now);
    return existing;
  }
  return create(query, input, contents, now);
}

async function create(
  query: Query,
  input: OpenSession,
  contents: readonly SealedContent[],
  now: Date,
): Promise<OpenedSession> {
  const { created, workflowId, runId } = input;
  const sealed = sealEvent(created, { sequence: 1, prevhash: genesisHash, time: now.toISOString() });
  const projection = projectSession(undefined, sealed.event);
  const row = { ...projection, workflow_id: workflowId, ...(runId !== undefined && { run_id: runId }) };
  if (!(await insertSession(query, { row, lastHash: sealed.event.hash }))) {
    // Somebody holds the id: this tenant since a moment ago, or another one, whose row cannot be seen.
    const existing = await findExisting(query, input);
    if (existing === undefined) throw sessionIdTaken();
    await keepKey(query, input, now);
    return existing;
  }
  await keepKey(query, input, now);
  await insertContents(query, contents);
  await insertEvents(query, [sealed]);
  return { row, duplicate: false };
}

/** @throws DomainError `SESSION_ID_TAKEN`: one text for a stranger's id and for an own one, it must not say which */
async function findExisting(query: Query, { created, workflowId }: OpenSession): Promise<OpenedSession | undefined> {
  const key = { tenant: created.tenant, sessionId: created.session_id };
  const row = (await findSession(query, key))?.row;
  if (row === undefined) return undefined;
  const [first] = await readEvents(query, { ...key, after: 0, limit: 1 });
  if (row.workflow_id === workflowId && first !== undefined && saysTheSame(first, created)) {
    return { row, duplicate: true };
  }
  throw sessionIdTaken();
}

async function keepKey(query: Query, { created, idempotency }: OpenSession, now: Date): Promise<void> {
  if (idempotency === undefined) return;
  const { key, requestDigest } = idempotency;
  const record = { requestDigest, sessionId: created.session_id, createdAt: now.toISOString() };
  if (await insertIdempotency(query, created.tenant, key, record, now)) return;
  throw new LostRace("another request recorded the idempotency key");
}
