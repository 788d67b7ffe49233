import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { AuditEvent } from "@soma/contracts/audit";
import type { Delta } from "@soma/contracts/session-stream";
import type { StreamEvent } from "./event-stream.ts";

/** What a reader holds who has come so far; it refuses what does not follow. */
export class Held {
  readonly events: AuditEvent[] = [];
  readonly #texts = new Map<string, { attempt: number; text: string }>();
  #running: string | undefined;
  deltas = 0;
  resumedTexts = 0;

  get last(): number {
    return this.events.length;
  }

  /** Where a new connection goes on. */
  from(): { query: string; headers: Record<string, string> } {
    const text = this.#running === undefined ? undefined : this.#texts.get(this.#running);
    if (text !== undefined) this.resumedTexts += 1;
    const place = text && `${this.#running ?? ""}:${String(text.attempt)}:${String(text.text.length)}`;
    return {
      query: place === undefined ? "" : `?delta_after=${place}`,
      headers: { "last-event-id": String(this.last) },
    };
  }

  takeDelta({ step, attempt, offset, text }: Delta): void {
    assert.ok(
      this.#running === undefined || this.#running === step,
      `${step} before the end of ${this.#running ?? ""}`,
    );
    const known = this.#texts.get(step) ?? { attempt, text: "" };
    assert.ok(attempt >= known.attempt, "an older attempt");
    const before = attempt > known.attempt ? "" : known.text;
    assert.equal(offset, before.length, `a text with a gap or a repeat in ${step}`);
    this.#texts.set(step, { attempt, text: before + text });
    this.#running = step;
    this.deltas += 1;
  }

  takeEvent({ id, data }: StreamEvent): AuditEvent {
    const event: AuditEvent = JSON.parse(data);
    assert.equal(event.sequence, this.last + 1, "the ledger with a gap or a repeat");
    assert.equal(id, String(event.sequence));
    this.events.push(event);
    if (event.type === "effect.completed") {
      const step = String(event.data["step"]);
      const text = this.#texts.get(step)?.text ?? "";
      const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
      assert.equal(digest, event.data["result_digest"], `the deltas of ${step} are not its text`);
      this.#running = undefined;
    }
    return event;
  }
}
