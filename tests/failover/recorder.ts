import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request } from "undici";
import type { TargetRequest } from "./records.ts";

/**
 * A witness on the wire before one target: passes everything on as it is, and writes down what was asked, when, and
 * whether the target gave its whole answer. A target that is away is away for the caller, too.
 */
export class Recorder {
  readonly #target: TargetRequest["target"];
  readonly #server = createServer((incoming, outgoing) => {
    this.#pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  readonly #agent = new Agent({ connect: { timeout: 2_000 }, headersTimeout: 60_000, bodyTimeout: 60_000 });
  readonly seen: TargetRequest[] = [];
  /** Where the target is, once that is known. */
  upstream: string | undefined;
  url = "";

  constructor(target: TargetRequest["target"]) {
    this.#target = target;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new TypeError("no port");
    this.url = `http://127.0.0.1:${String(address.port)}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#agent.destroy();
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (this.upstream === undefined) return void outgoing.destroy();
    const path = incoming.url ?? "/";
    const at = Date.now();
    const key = incoming.headers["idempotency-key"];
    const answer: { status: number | null; finished: boolean; replayed: boolean } = {
      status: null,
      finished: false,
      replayed: false,
    };
    const gone = new AbortController();
    outgoing.on("close", () => {
      gone.abort();
    });
    try {
      const { host: _host, connection: _connection, "transfer-encoding": _encoding, ...headers } = incoming.headers;
      const passed = await request(this.upstream + path, {
        dispatcher: this.#agent,
        method: incoming.method === "POST" ? "POST" : "GET",
        headers,
        body: incoming.method === "POST" ? incoming : null,
        signal: gone.signal,
      });
      answer.status = passed.statusCode;
      answer.replayed =
        passed.headers["idempotency-replayed"] === "true" || passed.headers["idempotency-joined"] === "true";
      outgoing.writeHead(passed.statusCode, onlyTexts(passed.headers));
      let tail = "";
      for await (const chunk of passed.body) {
        tail = (tail + Buffer.from(chunk).toString("utf8")).slice(-4_000);
        // Decided by what the target sent, before the caller can have it: a caller may die of it, or with it.
        if (this.#target === "slm" && tail.includes("data: [DONE]")) answer.finished = true;
        outgoing.write(chunk);
      }
      if (this.#target !== "slm") answer.finished = passed.statusCode === 200;
      outgoing.end();
    } finally {
      if (!path.startsWith("/health"))
        this.seen.push({
          target: this.#target,
          path,
          at,
          endedAt: Date.now(),
          ...answer,
          ...(typeof key === "string" && { effectKey: key }),
        });
    }
  }
}

function onlyTexts(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" && name !== "transfer-encoding" && name !== "connection" ? [[name, value]] : [],
    ),
  );
}
