import { randomId } from "./random-id.ts";
import { isPassing, retryDelayMs, sleep } from "./retry-policy.ts";
import type { AnswerOf, BodyOf, Method, ParametersOf, Path } from "./routes.ts";
import { errorOfAnswer, SomaError } from "./soma-error.ts";

/** How to reach the API. */
export interface ClientOptions {
  /** The gateway, or an orchestrator that stands alone, e.g. `https://soma.example`; a path before `/v1` is kept. */
  readonly baseUrl: string;
  /** An access token or an API key; a function is asked before each attempt, so that it can renew one. */
  readonly token?: string | (() => Promise<string>);
  /** Names the tenant on a loopback service without tokens; with a token it can only agree. */
  readonly tenant?: string;
  /** Instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** For a whole call, its retries and waits included, in milliseconds; 30,000 unless given. */
  readonly timeoutMs?: number;
  /** For one attempt; 10,000 unless given. */
  readonly attemptTimeoutMs?: number;
}

/** Ends a call early: it then rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ChangeOptions extends CallOptions {
  /**
   * 1 to 255 visible ASCII characters. The same key and body within 24 h is the same change: give one of your own when
   * it may be repeated by another process. Made up for each call unless given, and kept over its retries.
   */
  readonly idempotencyKey?: string;
}

interface Request<P extends Path, M extends Method> extends CallOptions {
  readonly parameters?: ParametersOf<P, M>;
  readonly body?: BodyOf<P, M>;
  /** Makes a change safe to repeat, where the route keeps it; without it no change is ever repeated. */
  readonly idempotencyKey?: string;
}

/** One answer as it came, whatever its status. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The one way to the API. */
export class Transport {
  readonly #options: ClientOptions;
  readonly #base: string;
  readonly #fetch: typeof globalThis.fetch;

  /** @throws TypeError for an address that is not http(s), or that holds a password. */
  constructor(options: ClientOptions) {
    const url = new URL(options.baseUrl);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError(`The address must begin with https:// or http://.`);
    if (url.username !== "" || url.password !== "")
      throw new TypeError("The address must not hold a user or password.");
    this.#options = options;
    this.#base = url.origin + url.pathname.replace(/\/+$/, "");
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  get tenant(): string | undefined {
    return this.#options.tenant;
  }

  /**
   * Sends a request of the API and gives the JSON of its success. A GET, and a change with a key, is repeated within the
   * call's time while it fails in passing (429, 502, 503, 504, no connection, no answer), after `Retry-After` where given.
   * @throws SomaError.
   */
  async call<P extends Path, M extends Method>(
    path: P,
    method: M,
    request: Request<P, M> = {},
  ): Promise<AnswerOf<P, M>> {
    const { timeoutMs = 30_000 } = this.#options;
    const deadline = performance.now() + timeoutMs;
    const requestId = randomId();
    const isSafe = method === "get" || request.idempotencyKey !== undefined;
    for (let failures = 1; ; failures += 1) {
      const remainingMs = deadline - performance.now();
      const outcome = await this.#attempt(path, method, request, { requestId, remainingMs });
      if ("answer" in outcome) return outcome.answer;
      const { error } = outcome;
      const delayMs = retryDelayMs(failures, error.retryAfterSeconds, Math.random());
      if (!isSafe || !isPassing(error) || performance.now() + delayMs >= deadline) throw error;
      await sleep(delayMs, request.signal);
    }
  }

  /** Asks once, without a token, and gives whatever is answered; for probes. @throws SomaError without an answer. */
  async probe(path: string, { signal }: CallOptions = {}): Promise<RawAnswer> {
    return (await this.#exchange(path, { method: "GET" }, { requestId: randomId(), signal, bearer: undefined })).raw;
  }

  /**
   * Opens a stream; its answer is a success whose body is not read yet. Asks once.
   * @throws SomaError.
   */
  async openStream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<OpenStream> {
    const requestId = randomId();
    const bearer = await this.#bearer();
    const response = await this.#send(path, { headers }, { requestId, signal, bearer });
    if (!response.ok) throw errorOfAnswer(response, await response.text(), requestId);
    const id = response.headers.get("x-request-id") ?? requestId;
    if (response.body && /^text\/event-stream\b/.test(response.headers.get("content-type") ?? ""))
      return { requestId: id, body: response.body };
    await response.body?.cancel();
    throw new SomaError("BAD_RESPONSE", "The answer is not a stream of events.", { status: 200, requestId: id });
  }

  async #attempt<P extends Path, M extends Method>(
    path: P,
    method: M,
    { parameters, body, idempotencyKey, signal }: Request<P, M>,
    { requestId, remainingMs }: { readonly requestId: string; readonly remainingMs: number },
  ): Promise<{ readonly answer: AnswerOf<P, M> } | { readonly error: SomaError }> {
    const headers = {
      accept: "application/json",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
    };
    const init = { method: method.toUpperCase(), headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const bearer = await this.#bearer();
    try {
      const how = { requestId, signal, bearer, withinMs: remainingMs };
      const { response, raw } = await this.#exchange(fillPath(path, parameters), init, how);
      if (!response.ok) return { error: errorOfAnswer(response, raw.text, requestId) };
      const answer: AnswerOf<P, M> = parseAnswer(raw, requestId);
      return { answer };
    } catch (error) {
      if (error instanceof SomaError) return { error };
      throw error;
    }
  }

  /** Sends and reads the whole answer, within the time of one attempt. @throws SomaError without an answer. */
  async #exchange(
    path: string,
    init: RequestInit,
    how: How & { readonly withinMs?: number },
  ): Promise<{ readonly response: Response; readonly raw: RawAnswer }> {
    const { attemptTimeoutMs = 10_000 } = this.#options;
    const withinMs = Math.ceil(Math.max(1, Math.min(attemptTimeoutMs, how.withinMs ?? attemptTimeoutMs)));
    const timeout = AbortSignal.timeout(withinMs);
    const signal = how.signal ? AbortSignal.any([how.signal, timeout]) : timeout;
    try {
      const response = await this.#send(path, init, { ...how, signal });
      const text = await response.text();
      return { response, raw: { status: response.status, headers: response.headers, text } };
    } catch (error) {
      if (error instanceof SomaError) throw error;
      how.signal?.throwIfAborted();
      const { requestId } = how;
      if (!timeout.aborted) throw noConnection(error, requestId, this.#base);
      const detail = `${this.#base} gave no answer within ${String(withinMs)} ms.`;
      throw new SomaError("TIMED_OUT", detail, { requestId, cause: error });
    }
  }

  /** @throws SomaError without a connection; the signal's reason, or what `fetch` makes of it, when it is aborted. */
  async #send(path: string, init: RequestInit, { requestId, signal, bearer }: How): Promise<Response> {
    const headers = {
      ...Object.fromEntries(new Headers(init.headers)),
      "x-request-id": requestId,
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    };
    try {
      // The API redirects nobody: whoever does is not to get a token.
      return await this.#fetch(this.#base + path, { ...init, headers, redirect: "error", signal: signal ?? null });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw noConnection(error, requestId, this.#base);
    }
  }

  async #bearer(): Promise<string | undefined> {
    const { token } = this.#options;
    return typeof token === "function" ? token() : token;
  }
}

interface How {
  readonly requestId: string;
  readonly signal: AbortSignal | undefined;
  readonly bearer: string | undefined;
}

/** A stream whose headers have come. */
interface OpenStream {
  readonly requestId: string;
  readonly body: ReadableStream<Uint8Array>;
}

/** A connection that could not be made or broke, with the system's own code where there is one. */
export function noConnection(error: unknown, requestId: string, base: string): SomaError {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  const why = typeof code === "string" ? ` (${code})` : "";
  return new SomaError("CONNECTION_FAILED", `No connection to ${base}${why}.`, { requestId, cause: error });
}

function parseAnswer(answer: RawAnswer, requestId: string) {
  try {
    // An answer without a body has nothing to parse.
    return answer.text === "" ? undefined : JSON.parse(answer.text);
  } catch (error) {
    const id = answer.headers.get("x-request-id") ?? requestId;
    const detail = "The answer is not JSON: something before the API answered.";
    throw new SomaError("BAD_RESPONSE", detail, { status: answer.status, requestId: id, cause: error });
  }
}

/** The path with its names filled in, and the query of those that are given. */
export function fillPath(template: string, parameters: object = {}): string {
  const { path = {}, query = {} }: { path?: Record<string, string>; query?: Record<string, string | undefined> } =
    parameters;
  const filled = template.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(path[name] ?? ""));
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return pairs.length === 0 ? filled : `${filled}?${new URLSearchParams(pairs).toString()}`;
}
