import { genesisHash } from "@soma/contracts/audit";
import type { SealedContent } from "../contents/content-vault.ts";
import { saysTheSame, sealEvent, type SealedEvent } from "./event-chain.ts";
import type { OpenedSession, OpenSession } from "./ledger.ts";
import { insertContents, insertNames } from "./postgres-contents.ts";
import type { Query } from "./postgres-database.ts";
import { insertEvents, readEvents } from "./postgres-events.ts";
import { LostRace } from "./postgres-failure.ts";
import { findIdempotency, insertIdempotency } from "./postgres-idempotency.ts";
import { findSession, insertSession } from "./postgres-sessions.ts";
import { lockTenant, usageOf, writeTenant } from "./postgres-tenants.ts";
import { idempotencyKeyReused, sessionNotFound } from "./refusals.ts";
import { sessionIdTaken } from "./session-id-taken.ts";
import { projectSession } from "./session-projection.ts";
import { assertAdmitted, type SessionAdmission } from "./tenant-admission.ts";
import { planTenantAppend } from "./tenant-plan.ts";
import { dayOf } from "./tenant-store.ts";

/**
 * What opening a session does inside its transaction. Locks in one order: contents, tenant, session, key, newest
 * position. The tenant's lock is what makes a count of its sessions exact; it is taken as late as that can be.
 */
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
  const { created, workflowId, runId, admission } = input;
  const sealed = sealEvent(created, { sequence: 1, prevhash: genesisHash, time: now.toISOString() });
  const projection = projectSession(undefined, sealed.event);
  const row = { ...projection, workflow_id: workflowId, ...(runId !== undefined && { run_id: runId }) };
  await insertContents(query, contents);
  const sessionId = created.session_id;
  await insertNames(
    query,
    contents.map(({ tenant, user, digest }) => ({ tenant, user, digest, sessionId })),
  );
  const tenantEvents = admission === undefined ? [] : await admit(query, input, admission, now);
  if (tenantEvents === undefined || !(await insertSession(query, { row, lastHash: sealed.event.hash }))) {
    // Somebody holds the id: this tenant since a moment ago, or another one, whose row cannot be seen.
    const existing = await findExisting(query, input);
    if (existing === undefined) throw sessionIdTaken();
    await keepKey(query, input, now);
    return existing;
  }
  await keepKey(query, input, now);
  await insertEvents(query, [...tenantEvents, sealed]);
  return { row, duplicate: false };
}

/** The events that come before the session's; undefined when the session is there by now, which nothing can refuse. */
async function admit(
  query: Query,
  input: OpenSession,
  { created, enforced }: SessionAdmission,
  now: Date,
): Promise<readonly SealedEvent[] | undefined> {
  const { tenant } = created;
  const head = await lockTenant(query, tenant);
  const plan =
    head === undefined ? planTenantAppend({ events: [created] }, undefined, new Map(), () => now) : undefined;
  if (plan !== undefined) await writeTenant(query, plan);
  const { row } = plan?.head ?? head ?? {};
  if (!enforced || row === undefined) return plan?.events ?? [];
  try {
    assertAdmitted(row, await usageOf(query, { tenant, day: dayOf(now) }), now);
  } catch (error) {
    // The same call, made at the same time, may have been let in while this one waited for the lock.
    if ((await findExisting(query, input)) === undefined) throw error;
    return undefined;
  }
  return plan?.events ?? [];
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
