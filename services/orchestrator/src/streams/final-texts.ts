import { eventData, type AuditEvent } from "@soma/contracts/audit";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import { Value } from "typebox/value";
import type { Subject } from "../contents/subject.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { FinalText } from "./text-places.ts";

/** The texts that model steps ended with, from the content store: read once for all who are given the same events. */
export class FinalTexts {
  readonly #ledger: Pick<Ledger, "readContent">;
  readonly #log: Logger;
  readonly #known = new WeakMap<object, Promise<readonly FinalText[]>>();

  constructor(ledger: Pick<Ledger, "readContent">, log: Logger) {
    this.#ledger = ledger;
    this.#log = log;
  }

  /**
   * Of those of a session's events that end a text; none for one that was erased or is nowhere.
   *
   * @throws DomainError AUDIT_UNAVAILABLE, CONTENT_KEY_UNAVAILABLE: for now
   */
  in(subject: Subject, events: readonly AuditEvent[]): Promise<readonly FinalText[]> {
    const known = this.#known.get(events);
    if (known !== undefined) return known;
    const reading = this.#readAll(subject, events);
    this.#known.set(events, reading);
    reading.catch(() => this.#known.delete(events));
    return reading;
  }

  /** The text that one event ends, if it ends one that is there. @throws as {@link in} */
  async of(subject: Subject, event: AuditEvent): Promise<FinalText | undefined> {
    return event.type === "effect.completed" ? this.#read(subject, event) : undefined;
  }

  async #readAll(subject: Subject, events: readonly AuditEvent[]): Promise<readonly FinalText[]> {
    const finals: FinalText[] = [];
    for (const event of events) {
      const final = await this.of(subject, event);
      if (final !== undefined) finals.push(final);
    }
    return finals;
  }

  async #read({ tenant, user }: Subject, event: AuditEvent): Promise<FinalText | undefined> {
    const { step, result_digest: digest, attempt = 1 } = Value.Parse(eventData["effect.completed"], event.data);
    try {
      const bytes = await this.#ledger.readContent({ tenant, user, digest });
      return bytes && { step, attempt, text: Buffer.from(bytes).toString("utf8") };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (error.code === "CONTENT_UNREADABLE") this.#log.error({ err: error, code: error.code }, "a text was changed");
      else if (error.code !== "CONTENT_ERASED") throw error;
      return undefined;
    }
  }
}
