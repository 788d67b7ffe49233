import { DomainError } from "@soma/kit/domain-error";
import { Upstream, UpstreamError, type UpstreamAnswer } from "@soma/kit/upstream";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { vectorSize } from "../store/memory-store.ts";

/** So many texts at once: the service makes them one after the other, each in up to a second, and the deadline is for all of them. */
const batch = 4;
const deadlineMs = 10_000;

const Embedded = Type.Object({
  data: Type.Array(
    Type.Object({
      index: Type.Integer({ minimum: 0 }),
      embedding: Type.Array(Type.Number(), { minItems: vectorSize, maxItems: vectorSize }),
    }),
  ),
});

/** Asks an OpenAI-compatible service for vectors. */
export class EmbeddingClient {
  readonly #upstream: Upstream;
  readonly #prefix: string;
  readonly #model: string;

  constructor(base: URL, model: string) {
    this.#upstream = new Upstream({ name: "embedding service", origin: base.origin, deadlineMs });
    this.#prefix = base.pathname.replace(/\/$/, "");
    this.#model = model;
  }

  /**
   * A vector for each text, in their order.
   * @throws DomainError MEMORY_UNAVAILABLE, UNAUTHENTICATED, FORBIDDEN or MEMORY_REJECTED
   */
  async embed(texts: readonly string[], token: string): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let start = 0; start < texts.length; start += batch)
      vectors.push(...(await this.#embedSome(texts.slice(start, start + batch), token)));
    return vectors;
  }

  async checkHealth(signal: AbortSignal): Promise<void> {
    const { status } = await this.#upstream.getJson(`${this.#prefix}/health`, { signal });
    // A foreign server may have no /health: any answer but a server's error shows that it is there.
    if (status >= 500) throw new Error(`/health answered ${String(status)}`);
  }

  close(): Promise<void> {
    return this.#upstream.close();
  }

  async #embedSome(input: readonly string[], token: string): Promise<Float32Array[]> {
    let answer: UpstreamAnswer;
    try {
      answer = await this.#upstream.postJson(
        `${this.#prefix}/v1/embeddings`,
        { model: this.#model, input, encoding_format: "float" },
        { headers: { authorization: `Bearer ${token}` } },
      );
    } catch (error) {
      if (error instanceof UpstreamError) throw unavailable(error);
      throw error;
    }
    assertOk(answer.status);
    if (!Value.Check(Embedded, answer.body)) throw unavailable(new Error("vectors that do not fit the contract"));
    const vectors = new Map(answer.body.data.map(({ index, embedding }) => [index, Float32Array.from(embedding)]));
    return input.map((_text, index) => {
      const vector = vectors.get(index);
      // A vector without a direction is near to nothing and to everything.
      if (vector === undefined || !(Math.hypot(...vector) > 0)) throw unavailable(new Error("a text without a vector"));
      return vector;
    });
  }
}

function assertOk(status: number): void {
  if (status === 200) return;
  const cause = new Error(`embedding service answered ${String(status)}`);
  if (status === 401)
    throw new DomainError("UNAUTHENTICATED", "The token ended while its request was under way.", { cause });
  if (status === 403) throw new DomainError("FORBIDDEN", "The token lacks model.embed, which memory needs.", { cause });
  if (status >= 500 || status === 404 || status === 408 || status === 429) throw unavailable(cause);
  throw new DomainError("MEMORY_REJECTED", "The embedding service cannot read this text.", { cause });
}

function unavailable(cause: unknown): DomainError {
  return new DomainError("MEMORY_UNAVAILABLE", "The embedding service gave no answer; nothing was stored.", { cause });
}
