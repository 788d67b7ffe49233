import { eventData, type AuditEvent } from "@soma/contracts/audit";
import { openaiIdPrefixes } from "@soma/contracts/openai";
import { isTerminal } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import { Value } from "typebox/value";
import type { SessionRow } from "../ledger/session-row.ts";
import { findSession } from "../sessions/find-session.ts";
import { viewSession } from "../sessions/session-view.ts";
import { isLastEvent } from "../streams/last-event.ts";
import { cursorNumber, place, type Cursor } from "./cursor.ts";
import { openaiError } from "./errors.ts";
import type { EventSink } from "./event-sink.ts";
import { asBegun, outputMessage, readAsked, readResponse, response } from "./response-answer.ts";
import { failureInStream, stopping, type AnswerDeps } from "./session-answer.ts";
import { answerChanged } from "./tell-chat.ts";
import { TextTeller } from "./text-teller.ts";

/** Streams a session as the events of a response from after a cursor, until its end. */
export async function tellResponse(deps: AnswerDeps, row: SessionRow, sink: EventSink, cursor: Cursor): Promise<void> {
  const teller = new ResponseTeller(deps, row, sink, cursor);
  try {
    await teller.run();
  } catch (error) {
    await teller.tellError(failureInStream(deps, sink, error));
  }
  sink.end();
}

const where = { output_index: 0, content_index: 0 } as const;

class ResponseTeller {
  readonly #deps: AnswerDeps;
  readonly #row: SessionRow;
  readonly #sink: EventSink;
  /** Everything up to this number was told before. */
  readonly #toldUpTo: number;
  readonly #text: TextTeller;
  readonly #itemId: string;
  /** The ledger's `sequence` that this stream has come to. */
  #at: number;
  #hasItem: boolean;
  #hasPart: boolean;
  #isRunning = false;

  constructor(deps: AnswerDeps, row: SessionRow, sink: EventSink, { sequence, place: told, isWhole }: Cursor) {
    this.#deps = deps;
    this.#row = row;
    this.#sink = sink;
    this.#itemId = openaiIdPrefixes.message + row.session_id;
    // Of an event that was told in part the rest is still to come: it is read again, and what was told is left out.
    this.#at = isWhole ? sequence : sequence - 1;
    this.#toldUpTo = cursorNumber(sequence, told);
    this.#text = new TextTeller(Math.max(0, told - place.partAdded));
    this.#hasItem = told >= place.itemAdded;
    this.#hasPart = told >= place.partAdded;
  }

  async run(): Promise<void> {
    let ended = isTerminal(this.#row.status) && this.#at >= this.#row.last_seq;
    for await (const item of this.#deps.streams.follow(this.#row, this.#at, this.#sink.gone)) {
      if (item.kind === "quiet") await this.#sink.beat();
      if (item.kind === "delta") await this.#tellText(this.#text.take(item.delta));
      if (item.kind === "event") {
        await this.#tellEvent(item.event);
        this.#at = item.event.sequence;
        ended = isLastEvent(item.event.type);
      }
    }
    if (!ended && !this.#sink.gone.aborted) throw stopping(this.#row);
    // A reader that has everything gets an empty stream, and not none.
    await this.#sink.beat();
  }

  async tellError(error: DomainError): Promise<void> {
    const { message, code, param } = openaiError(error).error;
    await this.#tell(cursorNumber(this.#at, this.#text.offset + place.partAdded + 1), "error", {
      message,
      code,
      param,
    });
  }

  async #tellEvent(event: AuditEvent): Promise<void> {
    const number = cursorNumber(event.sequence, 0);
    if (event.type === "session.created")
      await this.#tell(number, "response.created", { response: await this.#snapshot("starting") });
    if (event.type === "policy.decided" && event.data["allowed"] === true && !this.#isRunning) {
      this.#isRunning = true;
      await this.#tell(number, "response.in_progress", { response: await this.#snapshot("running") });
    }
    if (event.type === "effect.completed") await this.#tellTextDone(event);
    if (isLastEvent(event.type)) {
      const whole = await readResponse(this.#deps, this.#row);
      // The protocol has no event of its own for a response that was canceled.
      const type = whole.status === "cancelled" ? "incomplete" : whole.status;
      await this.#tell(number, `response.${type}`, { response: whole });
    }
  }

  async #snapshot(status: "starting" | "running") {
    const now = await findSession(this.#deps.ledger, this.#row.tenant, this.#row.session_id);
    return response(asBegun(await viewSession(this.#deps, now), status), await readAsked(this.#deps, now));
  }

  async #tellText(delta: string): Promise<void> {
    if (delta === "") return;
    await this.#tellItem();
    const number = cursorNumber(this.#at, place.partAdded + this.#text.offset);
    await this.#tell(number, "response.output_text.delta", { item_id: this.#itemId, ...where, delta, logprobs: [] });
  }

  async #tellItem(): Promise<void> {
    if (!this.#hasItem)
      await this.#tell(cursorNumber(this.#at, place.itemAdded), "response.output_item.added", {
        output_index: 0,
        item: outputMessage(this.#row.session_id, undefined, "in_progress"),
      });
    this.#hasItem = true;
    if (this.#hasPart) return;
    this.#hasPart = true;
    await this.#tell(cursorNumber(this.#at, place.partAdded), "response.content_part.added", {
      item_id: this.#itemId,
      ...where,
      part: { type: "output_text", text: "", annotations: [], logprobs: [] },
    });
  }

  async #tellTextDone(event: AuditEvent): Promise<void> {
    const { result_digest: digest, finish_reason } = Value.Parse(eventData["effect.completed"], event.data);
    const { tenant, user, session_id } = this.#row;
    const bytes = await this.#deps.ledger.readContent({ tenant, user, digest });
    if (!bytes) throw new DomainError("INTERNAL", "The session's answer is not in the content store.");
    const text = Buffer.from(bytes).toString("utf8");
    const rest = this.#text.rest(text);
    if (rest === undefined) throw answerChanged(this.#row);
    await this.#tellItem();
    await this.#tellText(rest);
    const at = (last: number): number => cursorNumber(event.sequence, last);
    const item = outputMessage(session_id, text, finish_reason === "length" ? "incomplete" : "completed");
    const [part] = item.content;
    const common = { item_id: this.#itemId, ...where };
    await this.#tell(at(place.textDone), "response.output_text.done", { ...common, text, logprobs: [] });
    await this.#tell(at(place.partDone), "response.content_part.done", { ...common, part });
    await this.#tell(at(place.itemDone), "response.output_item.done", { output_index: 0, item });
  }

  async #tell(number: number, type: string, members: Readonly<Record<string, unknown>>): Promise<void> {
    if (number <= this.#toldUpTo) return;
    await this.#sink.write({ type, sequence_number: number, ...members }, type);
  }
}
