import type { AuditEvent } from "@soma/contracts/audit";
import type { Delta } from "@soma/contracts/session-stream";
import type { SessionRow } from "../ledger/session-row.ts";
import type { DeltaHub } from "./delta-hub.ts";
import type { DeltaTail } from "./delta-tail.ts";
import type { FinalTexts } from "./final-texts.ts";
import { TextPlaces, type TextPlace } from "./text-places.ts";
import type { RunningText } from "./text-growth.ts";

/** What all streams of a process share to tell texts. */
export interface TextSources {
  readonly hub: DeltaHub;
  readonly tail: DeltaTail;
  readonly finals: FinalTexts;
}

/** The steps that end in a batch; looked for once for all streams that are given the same batch. */
const endings = new WeakMap<readonly AuditEvent[], readonly string[]>();

/** The texts of one session as one reader gets them: made by any process, or made long ago. */
export class StreamTexts {
  readonly #sources: TextSources;
  readonly #row: SessionRow;
  readonly #places: TextPlaces;

  constructor(sources: TextSources, row: SessionRow, from?: TextPlace) {
    this.#sources = sources;
    this.#row = row;
    this.#places = new TextPlaces(from);
  }

  /** Returns the function that ends it. */
  follow(listener: (growth: Delta) => void): Promise<() => void> {
    return this.#sources.tail.follow(this.#row, listener);
  }

  /** True for a growth that the reader is to be told as it is. */
  takes(growth: Delta): boolean {
    return this.#places.takes(growth);
  }

  isBehind(): boolean {
    for (const [step, text] of this.#running())
      if (!this.#places.isAdmitted(step) || this.#places.isBehind(step, text)) return true;
    return false;
  }

  /**
   * Texts that have begun and are not told yet. What was recorded before they began comes first in the stream: whoever has
   * seen to that admits them.
   */
  beginning(): readonly string[] {
    return [...this.#running().keys()].filter((step) => !this.#places.isAdmitted(step));
  }

  admit(steps: readonly string[]): void {
    for (const step of steps) this.#places.admit(step);
  }

  /** The next piece that the reader lacks of the running texts. */
  next(): Delta | undefined {
    for (const [step, text] of this.#running()) {
      const delta = this.#places.next(step, text);
      if (delta !== undefined) return delta;
    }
    return undefined;
  }

  /** True when a step has its outcome in one of the events. */
  endIn(events: readonly AuditEvent[]): boolean {
    return endingsIn(events).length > 0;
  }

  /** True when the reader lacks nothing of the texts that end in these events; then they are not in the making any more. */
  async lacksNoneIn(events: readonly AuditEvent[]): Promise<boolean> {
    for (const final of await this.#sources.finals.in(this.#row, events))
      if (this.#places.lacksRestOf(final, this.#running().get(final.step))) return false;
    for (const step of endingsIn(events)) this.#end(step);
    return true;
  }

  /** What the reader lacks of the text that an event ends, if it ends one. */
  async restBefore(event: AuditEvent): Promise<readonly Delta[]> {
    const step = endedBy(event);
    if (step === undefined) return [];
    const final = await this.#sources.finals.of(this.#row, event);
    const rest = final === undefined ? [] : this.#places.rest(final, this.#running().get(step));
    this.#end(step);
    return rest;
  }

  /** The reader is past this event: a text that it ends is of no more interest. */
  endWith(event: AuditEvent): void {
    const step = endedBy(event);
    if (step !== undefined) this.#end(step);
  }

  #end(step: string): void {
    this.#places.end(step);
    this.#sources.hub.end(this.#row.session_id, step);
  }

  #running(): ReadonlyMap<string, RunningText> {
    return this.#sources.hub.running(this.#row.session_id);
  }
}

function endingsIn(events: readonly AuditEvent[]): readonly string[] {
  const known = endings.get(events);
  if (known !== undefined) return known;
  const found = events.map(endedBy).filter((step) => step !== undefined);
  endings.set(events, found);
  return found;
}

/** A step that has its outcome is not in the making any more, whatever its outcome is. */
function endedBy({ type, data }: AuditEvent): string | undefined {
  if (type !== "effect.completed" && type !== "effect.failed") return undefined;
  return typeof data["step"] === "string" ? data["step"] : undefined;
}
