import type { AuditEvent, NewEvent } from "@soma/contracts/audit";
import type { SealedContent } from "../contents/content-vault.ts";
import { eventId, saysTheSame, sealEvent, type SealedEvent } from "./event-chain.ts";
import type { Appended } from "./ledger.ts";
import { sessionsNaming } from "./content.ts";
import type { ContentName } from "./postgres-contents.ts";
import { eventConflict, sessionNotFound } from "./refusals.ts";
import type { SessionHead } from "./session-head.ts";
import { projectSession } from "./session-projection.ts";
import { tenantDaysAfter, type TenantDays } from "./tenant-days.ts";

/**
 * What several appends of one tenant come to, worked out in memory from the sessions that are locked and the events
 * that are recorded. Each append goes in whole or not at all, and sees those before it.
 */
export class AppendPlan {
  readonly #heads: Map<string, SessionHead>;
  readonly #recorded: Map<string, AuditEvent>;
  readonly #changed = new Set<string>();
  readonly events: SealedEvent<AuditEvent>[] = [];
  readonly contents: SealedContent[] = [];
  #days: TenantDays;
  readonly names: ContentName[] = [];

  constructor(heads: ReadonlyMap<string, SessionHead>, recorded: ReadonlyMap<string, AuditEvent>, days: TenantDays) {
    this.#heads = new Map(heads);
    this.#recorded = new Map(recorded);
    this.#days = days;
  }

  /** The tenant's days after all that was added. */
  get days(): TenantDays {
    return this.#days;
  }

  /** The sessions that are to be written. */
  get changed(): readonly SessionHead[] {
    return [...this.#changed].flatMap((sessionId) => this.#heads.get(sessionId) ?? []);
  }

  /** @throws what the append is refused with; the plan is then as it was */
  add(events: readonly NewEvent[], contents: readonly SealedContent[], now: () => Date): readonly Appended[] {
    const heads = new Map<string, SessionHead>();
    const sealed = new Map<string, SealedEvent<AuditEvent>>();
    let days = this.#days;
    const appended = events.map((input): Appended => {
      const id = eventId(input.tenant, input.session_id, input.key);
      const recorded = sealed.get(id)?.event ?? this.#recorded.get(id);
      if (recorded !== undefined) {
        if (saysTheSame(recorded, input)) return { event: recorded, duplicate: true };
        throw eventConflict();
      }
      const head = heads.get(input.session_id) ?? this.#heads.get(input.session_id);
      if (head === undefined) throw sessionNotFound();
      const { workflow_id, run_id, ...before } = head.row;
      const place = { sequence: before.last_seq + 1, prevhash: head.lastHash, time: now().toISOString() };
      const next = sealEvent(input, place);
      const row = { ...projectSession(before, next.event), workflow_id, ...(run_id !== undefined && { run_id }) };
      days = tenantDaysAfter(days, next.event);
      heads.set(input.session_id, { row, lastHash: next.event.hash });
      sealed.set(id, next);
      return { event: next.event, duplicate: false };
    });
    for (const [sessionId, head] of heads) {
      this.#heads.set(sessionId, head);
      this.#changed.add(sessionId);
    }
    for (const [id, one] of sealed) {
      this.#recorded.set(id, one.event);
      this.events.push(one);
    }
    this.#days = days;
    this.contents.push(...contents);
    for (const content of contents) {
      const { tenant, user, digest } = content;
      for (const sessionId of sessionsNaming(content, events)) this.names.push({ tenant, user, digest, sessionId });
    }
    return appended;
  }
}
