import { Pool } from "undici";
import type { IncomingHttpHeaders } from "undici/types/header.js";

/** Why an upstream's answer cannot be used: it did not come (`unavailable`) or it is not what was agreed (`bad_response`). */
export type UpstreamFault = "unavailable" | "bad_response";

/** `message` names the upstream and what happened, never what it sent. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
  readonly fault: UpstreamFault;
  constructor(upstream: string, fault: UpstreamFault, what: string, cause?: unknown) {
    super(`${upstream}: ${what}`, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON body; `undefined` when the body is empty. */
  readonly body: unknown;
}

interface UpstreamOptions {
  /** As it is named in logs and errors. */
  readonly name: string;
  readonly origin: string;
  /** For the whole exchange, connection included, in milliseconds. */
  readonly deadlineMs: number;
  readonly maxBytes?: number;
  readonly connections?: number;
}

interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** For this exchange alone; the client's own unless given. */
  readonly deadlineMs?: number;
}

/**
 * A pooled HTTP client for one upstream: a deadline over the whole exchange, a bound on the answer, no redirects
 * (they come back as the status they are) and JSON only. Not `fetch`: a pooled request costs a fraction of it.
 */
export class Upstream {
  readonly name: string;
  readonly origin: string;
  readonly #pool: Pool;
  readonly #deadlineMs: number;
  readonly #maxBytes: number;

  constructor(options: UpstreamOptions) {
    this.name = options.name;
    this.origin = options.origin;
    this.#deadlineMs = options.deadlineMs;
    this.#maxBytes = options.maxBytes ?? 1_048_576;
    this.#pool = new Pool(options.origin, {
      connections: options.connections ?? 64,
      connectTimeout: options.deadlineMs,
      keepAliveTimeout: 4_000,
    });
  }

  /** @throws UpstreamError when no answer came in time, or one that is too large or not JSON. Any status is an answer. */
  postJson(path: string, body: unknown, options: PostOptions = {}): Promise<UpstreamAnswer> {
    return this.#exchange("POST", path, JSON.stringify(body), options);
  }

  /** @throws UpstreamError as {@link postJson}. */
  putJson(path: string, body: unknown, options: PostOptions = {}): Promise<UpstreamAnswer> {
    return this.#exchange("PUT", path, JSON.stringify(body), options);
  }

  /** @throws UpstreamError as {@link postJson}. */
  deleteJson(path: string, options: PostOptions = {}): Promise<UpstreamAnswer> {
    return this.#exchange("DELETE", path, undefined, options);
  }

  /** @throws UpstreamError as {@link postJson}. */
  getJson(path: string, options: PostOptions = {}): Promise<UpstreamAnswer> {
    return this.#exchange("GET", path, undefined, options);
  }

  async #exchange(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body: string | undefined,
    options: PostOptions,
  ): Promise<UpstreamAnswer> {
    const { deadlineMs = this.#deadlineMs } = options;
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
    const headers = {
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...options.headers,
    };
    let status: number;
    let answerHeaders: IncomingHttpHeaders;
    let text: string;
    try {
      const exchange = this.#pool.request({ method, path, headers, body: body ?? null, signal });
      const answer = await Promise.race([exchange, whenAborted(signal)]);
      status = answer.statusCode;
      answerHeaders = answer.headers;
      text = await this.#readBounded(answer.body);
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      options.signal?.throwIfAborted();
      const what = deadline.aborted ? `no answer within ${String(deadlineMs)} ms` : "no answer";
      throw new UpstreamError(this.name, "unavailable", what, error);
    }
    return { status, headers: answerHeaders, body: this.#parse(text) };
  }

  async #readBounded(stream: AsyncIterable<Uint8Array>): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of stream) {
      size += chunk.byteLength;
      if (size > this.#maxBytes)
        throw new UpstreamError(this.name, "bad_response", `answer over ${String(this.#maxBytes)} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #parse(text: string): unknown {
    if (text === "") return undefined;
    try {
      const value: unknown = JSON.parse(text);
      return value;
    } catch {
      // The parser's own message quotes the answer, so it is not kept as a cause.
      throw new UpstreamError(this.name, "bad_response", "answer is not JSON");
    }
  }

  /** Ends all connections; requests under way fail. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Rejects when the signal fires. Undici itself hears of it only once there is a connection, and then sends nothing. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => {
      reject(new Error("aborted"));
    };
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
