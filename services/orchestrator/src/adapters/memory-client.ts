import { Remembered, Retrieved, type Passage, type RememberRequest } from "@soma/contracts/memory";
import { idempotencyKeyHeader } from "@soma/contracts/wire-names";
import { DomainError } from "@soma/kit/domain-error";
import { Upstream, UpstreamError, type UpstreamAnswer } from "@soma/kit/upstream";
import { Value } from "typebox/value";

/** A session waits for it before its model is asked. */
const retrieveMs = 5_000;
/** The gateway has each passage made into a vector, one after the other. */
const rememberMs = 30_000;
const maxBytes = 262_144;

/** What a call to memory is made with: a step's token, and the signal that ends the call. */
interface MemoryCall {
  readonly token: string;
  readonly signal: AbortSignal;
}

/**
 * Every method throws DomainError MEMORY_UNAVAILABLE, MEMORY_BAD_RESPONSE, MEMORY_TOKEN_REFUSED or MEMORY_REJECTED.
 */
export interface MemoryClient {
  /** The passages of the token's user that are nearest to a query, best first. */
  retrieve(request: { readonly query: string; readonly topK: number }, call: MemoryCall): Promise<readonly Passage[]>;
  /** Stores a memory; the same effect key again is the same memory. */
  remember(request: RememberRequest, call: MemoryCall & { readonly effectKey: string }): Promise<Remembered>;
  /** Forgets all of a user of the token's tenant; the token carries subject.erase. Again it is the same. */
  erase(user: string, token: string): Promise<void>;
  checkHealth(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** `base` is what stands before the gateway's `/v1` paths. */
export function createMemoryClient(base: URL): MemoryClient {
  const name = "memory-gateway";
  const quick = new Upstream({ name, origin: base.origin, deadlineMs: retrieveMs, maxBytes });
  const slow = new Upstream({ name, origin: base.origin, deadlineMs: rememberMs, maxBytes });
  const prefix = base.pathname.replace(/\/$/, "");

  async function post(
    upstream: Upstream,
    path: string,
    body: unknown,
    { token, signal }: MemoryCall,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const authorization = `Bearer ${token}`;
    try {
      const answer = await upstream.postJson(prefix + path, body, { signal, headers: { authorization, ...headers } });
      assertOk(answer);
      return answer.body;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      throw error.fault === "unavailable" ? unavailable(error) : badResponse(error.message);
    }
  }

  return {
    async retrieve({ query, topK }, call) {
      const body = await post(quick, "/v1/rag/retrieve", { query, top_k: topK }, call);
      if (!Value.Check(Retrieved, body) || body.passages.length > topK)
        throw badResponse("passages that do not fit the contract");
      // They go into the ledger, which takes valid Unicode.
      return body.passages.map(({ key, text, score }) => ({ key, text: text.toWellFormed(), score }));
    },
    async remember(request, { effectKey, ...call }) {
      const body = await post(slow, "/v1/remember", request, call, { [idempotencyKeyHeader]: effectKey });
      if (!Value.Check(Remembered, body) || body.key !== request.key)
        throw badResponse("a receipt that does not fit the contract");
      return body;
    },
    async erase(user, token) {
      try {
        const path = `${prefix}/v1/subject?subject=${encodeURIComponent(user)}`;
        assertOk(await slow.deleteJson(path, { headers: { authorization: `Bearer ${token}` } }));
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        throw error.fault === "unavailable" ? unavailable(error) : badResponse(error.message);
      }
    },
    async checkHealth(signal) {
      const { status } = await quick.getJson(`${prefix}/health`, { signal });
      if (status !== 200) throw new Error(`/health answered ${String(status)}`);
    },
    async close() {
      await Promise.all([quick.close(), slow.close()]);
    },
  };
}

function assertOk({ status }: UpstreamAnswer): void {
  if (status === 200) return;
  const cause = new Error(`memory-gateway answered ${String(status)}`);
  if (status >= 500 || status === 408 || status === 429) throw unavailable(cause);
  // Revoked or run out since it was minted: not the request is at fault, and a new decision brings a new token.
  if (status === 401)
    throw new DomainError("MEMORY_TOKEN_REFUSED", "The memory gateway refused the step's token.", { cause });
  if (status === 404) throw badResponse("no such route");
  throw new DomainError("MEMORY_REJECTED", "The memory gateway refused the request.", { cause });
}

function unavailable(cause: unknown): DomainError {
  return new DomainError("MEMORY_UNAVAILABLE", "The memory gateway gave no answer.", { cause });
}

function badResponse(what: string): DomainError {
  return new DomainError("MEMORY_BAD_RESPONSE", "The memory gateway gave an answer that cannot be read.", {
    cause: new Error(`memory-gateway gave ${what}`),
  });
}
