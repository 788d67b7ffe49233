import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

/** One conversation, as a client who watches it sees it. */
export interface Conversation {
  readonly id: string;
  /** Sends a message and resolves when the stream has told the end of its turn. @throws Error when that takes longer */
  say(text: string, withinMs: number): Promise<void>;
  close(): void;
}

/** Started, and watched on a stream of its own from then on. */
export class Conversations {
  readonly #pool: Pool;
  /** A stream takes a connection for itself. */
  readonly #streams: Pool;

  constructor(url: string) {
    this.#pool = new Pool(url, { connections: 64, keepAliveTimeout: 60_000 });
    this.#streams = new Pool(url, { connections: null, pipelining: 0 });
  }

  /** Starts one and gives its id; resolves when it waits for a message. */
  async start(id: string, tenant: string, withinMs: number): Promise<void> {
    const session = {
      tenant,
      user: "user-demo",
      mode: "interactive",
      prompt: "Say one word.",
      metadata: { session_id: id },
    };
    await this.#post("/v1/sessions/start", session, 202);
    const turns = await this.#watch(id, 0);
    await turns.until(1, withinMs);
    turns.close();
  }

  /** Watches one that waits for a message. */
  async open(id: string): Promise<Conversation> {
    const turns = await this.#watch(id, 1);
    let ended = 1;
    return {
      id,
      say: async (text, withinMs) => {
        ended += 1;
        await this.#post(`/v1/sessions/${id}/actions/message`, { text }, 200, withinMs);
        await turns.until(ended, withinMs);
      },
      close: () => turns.close(),
    };
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await this.#streams.destroy();
  }

  /** Sent again, as the same one, while nobody could take it: what a client does with a 503. */
  async #post(path: string, body: unknown, expected: number, withinMs = 0): Promise<void> {
    const headers = { "content-type": "application/json", "idempotency-key": randomUUID() };
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      const answer = await this.#pool.request({ method: "POST", path, headers, body: JSON.stringify(body) });
      const text = await answer.body.text();
      if (answer.statusCode === expected) return;
      if (answer.statusCode !== 503 || performance.now() > giveUpAt)
        throw new Error(`${path} was answered with ${String(answer.statusCode)}: ${text}`);
      await sleep(100);
    }
  }

  /** Counts the turns that have ended; `least` of them are told before this resolves. */
  async #watch(id: string, least: number): Promise<Turns> {
    const stop = new AbortController();
    const path = `/v1/sessions/${id}/events`;
    const headers = { accept: "text/event-stream" };
    const answer = await this.#streams.request({ method: "GET", path, headers, signal: stop.signal, bodyTimeout: 0 });
    if (answer.statusCode !== 200) throw new Error(`a stream was answered with ${String(answer.statusCode)}`);
    const turns = new Turns(answer.body, () => stop.abort());
    await turns.until(least, 60_000);
    return turns;
  }
}

const turnEnded = "\nevent: turn.ended\n";

class Turns {
  #ended = 0;
  #failure: unknown;
  #notice: (() => void) | undefined;
  readonly close: () => void;

  constructor(body: AsyncIterable<Uint8Array>, close: () => void) {
    this.close = close;
    this.#read(body).catch((error: unknown) => {
      this.#failure = error;
      this.#notice?.();
    });
  }

  async until(turns: number, withinMs: number): Promise<void> {
    const late = setTimeout(() => {
      this.#failure ??= new Error(`no end of turn ${String(turns)} within ${String(withinMs)} ms`);
      this.#notice?.();
    }, withinMs);
    try {
      while (this.#ended < turns) {
        if (this.#failure !== undefined) throw new Error("a conversation's stream broke", { cause: this.#failure });
        await new Promise<void>((resolve) => {
          this.#notice = resolve;
        });
      }
    } finally {
      clearTimeout(late);
    }
  }

  async #read(body: AsyncIterable<Uint8Array>): Promise<void> {
    let seam = "";
    for await (const bytes of body) {
      const text = seam + Buffer.from(bytes).toString("latin1");
      this.#ended += text.split(turnEnded).length - 1;
      seam = text.slice(1 - turnEnded.length);
      this.#notice?.();
    }
    throw new Error("the stream ended");
  }
}
