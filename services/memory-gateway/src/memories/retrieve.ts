import type { Retrieved, RetrieveRequest } from "@soma/contracts/memory";
import { DomainError } from "@soma/kit/domain-error";
import type { Caller } from "../access/authenticate.ts";
import { chunkText } from "../embeddings/chunk-text.ts";
import type { MemoryParts } from "../memory-gateway.ts";
import type { FoundPassage } from "../store/memory-store.ts";
import { openPassage } from "./memory-text.ts";

/**
 * The passages of the caller's memory nearest to a query, best first. A long query is compared part by part, and a
 * passage has the score of the part that it is nearest to.
 *
 * @throws DomainError MEMORY_UNAVAILABLE, IDENTITY_UNAVAILABLE, FORBIDDEN, UNAUTHENTICATED, CONTENT_UNREADABLE
 */
export async function retrieve(
  { keys, store, embeddings, identity, now }: MemoryParts,
  caller: Caller,
  { query, top_k: limit }: RetrieveRequest,
): Promise<Retrieved> {
  const parts = query.isWellFormed() ? chunkText(query) : [];
  if (parts.length === 0)
    throw new DomainError("VALIDATION_FAILED", "/query: holds no word.", {
      fields: [{ pointer: "/query", detail: "holds no word" }],
    });
  const key = await keys.find(caller);
  // Of whom nothing is remembered, nothing can be near to anything.
  if (key === undefined) return { passages: [] };
  const best = new Map<string, FoundPassage>();
  for (const vector of await embeddings.embed(parts, await identity.exchange(caller.token))) {
    for (const found of await store.search(caller, vector, limit, now())) {
      const name = `${found.memoryId}/${String(found.position)}`;
      if ((best.get(name)?.score ?? -2) < found.score) best.set(name, found);
    }
  }
  const found = [...best.values()].toSorted((left, right) => right.score - left.score).slice(0, limit);
  return { passages: found.map((passage) => openPassage(key, passage)) };
}
