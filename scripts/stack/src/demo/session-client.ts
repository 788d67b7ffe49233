import { setTimeout as delay } from "node:timers/promises";
import { isTerminal, sessionStatuses } from "@soma/contracts/session";
import { request } from "undici";
import { readField, readList, readText } from "../json-fields.ts";
import { DemoError } from "./demo-error.ts";
import { readEventStream, type ServerSentEvent } from "./event-stream.ts";

/** The public API as any client would use it: plain HTTP, nothing imported from the service. */
export class SessionClient {
  readonly #origin: string;
  readonly #signal: AbortSignal;

  /** `signal` ends all that is under way. */
  constructor(origin: string, signal: AbortSignal) {
    this.#origin = origin;
    this.#signal = signal;
  }

  /** Starts a session and returns the answer of 202. */
  async start(body: object): Promise<unknown> {
    const answer = await request(`${this.#origin}/v1/sessions/start`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: this.#signal,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 202) throw refused("POST /v1/sessions/start", answer.statusCode, text);
    return parse(text);
  }

  /** A session's view; `id` is a session id or a workflow id. */
  async read(id: string): Promise<unknown> {
    return this.#get(`/v1/sessions/${id}`);
  }

  /** Reads a session until no status follows. @throws DemoError when it takes longer. */
  async readToEnd(id: string, withinMs: number): Promise<unknown> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const view = await this.read(id);
      const text = readText(view, "status");
      const status = sessionStatuses.find((known) => known === text);
      if (status !== undefined && isTerminal(status)) return view;
      if (performance.now() > deadline)
        throw new DemoError(`session ${id} is still "${text}" after ${String(withinMs / 1000)} s`);
      await delay(100, undefined, { signal: this.#signal });
    }
  }

  /** The whole ledger of a session, page by page. */
  async readLedger(id: string): Promise<unknown[]> {
    const events: unknown[] = [];
    for (let after: unknown = 0; typeof after === "number";) {
      const page = await this.#get(`/v1/sessions/${id}/events?after=${String(after)}&limit=1000`);
      events.push(...readList(page, "events"));
      after = readField(page, "next_after");
    }
    return events;
  }

  /** The ledger as it grows, with the model's words as they come, until the session's last event. */
  async *follow(id: string): AsyncGenerator<ServerSentEvent> {
    const answer = await request(`${this.#origin}/v1/sessions/${id}/events`, {
      headers: { accept: "text/event-stream" },
      signal: this.#signal,
      bodyTimeout: 60_000,
    });
    if (answer.statusCode !== 200)
      throw refused(`GET /v1/sessions/${id}/events`, answer.statusCode, await answer.body.text());
    yield* readEventStream(answer.body);
  }

  async #get(path: string): Promise<unknown> {
    const answer = await request(`${this.#origin}${path}`, { signal: this.#signal });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw refused(`GET ${path}`, answer.statusCode, text);
    return parse(text);
  }
}

function refused(what: string, status: number, text: string): DemoError {
  return new DemoError(`${what} answered ${String(status)}: ${text.slice(0, 500)}`);
}

function parse(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return value;
}
