/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
  /** Only where the event itself has one. */
  readonly id?: string;
}

/** An event that is larger than this is not one of ours. */
const maxEventLength = 8 * 1_048_576;

/**
 * Reads a stream of server-sent events as the HTML standard (section 9.2.6) says: lines end with CR, LF or both,
 * wherever the network cuts them; what is cut off at the end is no event.
 */
export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  /** The part of a line that has come. */
  #line = "";
  #skipsLineFeed = false;
  #type = "";
  #id: string | undefined;
  #data: string[] = [];
  #length = 0;

  /** The events that end within these bytes. @throws RangeError for an event beyond 8 Mi characters. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    const events: ServerSentEvent[] = [];
    if (text === "") return events;
    let begin = this.#skipsLineFeed && text.startsWith("\n") ? 1 : 0;
    const ends = /\r\n?|\n/g;
    ends.lastIndex = begin;
    for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
      const event = this.#take(this.#line + text.slice(begin, end.index));
      if (event !== undefined) events.push(event);
      this.#line = "";
      begin = ends.lastIndex;
    }
    this.#line += text.slice(begin);
    this.#skipsLineFeed = text.endsWith("\r");
    if (this.#line.length + this.#length > maxEventLength) throw new RangeError("an event without end");
    return events;
  }

  #take(line: string): ServerSentEvent | undefined {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "data") {
      this.#data.push(value);
      this.#length += value.length + 1;
    }
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    const event = {
      type: this.#type === "" ? "message" : this.#type,
      data: this.#data.join("\n"),
      ...(this.#id !== undefined && { id: this.#id }),
    };
    const isEmpty = this.#data.length === 0;
    this.#type = "";
    this.#id = undefined;
    this.#data = [];
    this.#length = 0;
    return isEmpty ? undefined : event;
  }
}
