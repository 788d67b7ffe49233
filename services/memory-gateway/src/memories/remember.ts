import { randomUUIDv7 } from "node:crypto";
import { memoryLimits, type Remembered, type RememberRequest } from "@soma/contracts/memory";
import { canonicalJson } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { Caller } from "../access/authenticate.ts";
import { chunkText } from "../embeddings/chunk-text.ts";
import { nameOf } from "../keys/name-of.ts";
import type { SubjectKey } from "../keys/subject-keys.ts";
import type { MemoryParts } from "../memory-gateway.ts";
import type { MemoryWrite, StoredMemory } from "../store/memory-store.ts";
import { sealMemory, sealPassage } from "./memory-text.ts";

/** An erasure can take away the key of a write that is under way; that the next one is hit, too, is no accident any more. */
const maxTries = 3;

/**
 * Stores a memory with the vectors of its passages, all of it or nothing. With an `Idempotency-Key` the same request
 * again is the same memory, and asks for no vectors.
 *
 * @throws DomainError VALIDATION_FAILED, MEMORY_REJECTED, IDEMPOTENCY_KEY_REUSED, MEMORY_UNAVAILABLE, IDENTITY_UNAVAILABLE,
 *   FORBIDDEN or UNAUTHENTICATED
 */
export async function remember(parts: MemoryParts, caller: Caller, request: RememberRequest): Promise<Remembered> {
  const passages = assertRequest(request);
  const repeated = await findRepeated(parts, caller, request);
  if (repeated) return rememberedOf(request, repeated, false);
  const vectors = await parts.embeddings.embed(passages, await parts.identity.exchange(caller.token));
  for (let tries = 1; tries <= maxTries; tries += 1) {
    const key = await parts.keys.findOrMake(caller);
    const memory = storedOf(parts, caller, request, key, passages.length);
    const write: MemoryWrite = {
      subject: { tenant: caller.tenant, user: caller.user },
      keyId: key.keyId,
      memory,
      passages: passages.map((text, position) => ({
        sealed: sealPassage(key, memory.id, position, { key: request.key, text }),
        vector: vectorAt(vectors, position),
      })),
      bounds: parts.config.bounds,
    };
    const outcome = await parts.store.write(write, parts.now());
    switch (outcome) {
      case "created":
      case "replaced":
        parts.metrics.memories.inc({ outcome });
        return rememberedOf(request, memory, outcome === "created");
      case "too_many_memories":
        throw full(`${String(parts.config.bounds.memories)} memories`);
      case "too_many_passages":
        throw full(`${String(parts.config.bounds.passages)} passages`);
      case "key_gone":
    }
  }
  throw new DomainError("MEMORY_UNAVAILABLE", "The subject is being erased; try again.");
}

/** @returns the passages of the value */
function assertRequest({ value, metadata = {} }: RememberRequest): string[] {
  const bytes = Buffer.byteLength(value);
  if (bytes > memoryLimits.valueBytes)
    throw refused("/value", `is ${String(bytes)} bytes; at most ${String(memoryLimits.valueBytes)} are accepted`);
  if (!value.isWellFormed()) throw refused("/value", "holds half a surrogate pair; send valid Unicode");
  if (Buffer.byteLength(canonicalOf(metadata)) > memoryLimits.metadataBytes)
    throw refused("/metadata", `is too large; at most ${String(memoryLimits.metadataBytes)} bytes are accepted`);
  const passages = chunkText(value);
  if (passages.length === 0) throw refused("/value", "holds no word");
  return passages;
}

function canonicalOf(metadata: Readonly<Record<string, unknown>>): string {
  try {
    return canonicalJson(metadata);
  } catch {
    throw refused("/metadata", "has no canonical form: half a surrogate pair, or a number out of range");
  }
}

/** What was stored by the same request under the same key, if anything. */
async function findRepeated(
  { keys, store, now }: MemoryParts,
  caller: Caller,
  request: RememberRequest,
): Promise<StoredMemory | undefined> {
  if (caller.idempotencyKey === undefined) return undefined;
  const key = await keys.find(caller);
  const stored = key && (await store.find(caller, nameOf(key.key, "lookup", request.key), now()));
  if (key === undefined || stored?.idempotencyKey !== caller.idempotencyKey) return undefined;
  if (stored.content === contentName(key, request)) return stored;
  throw new DomainError("IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key was used for another memory.");
}

function storedOf(
  { now }: MemoryParts,
  { idempotencyKey }: Caller,
  request: RememberRequest,
  key: SubjectKey,
  passages: number,
): StoredMemory {
  const at = now();
  const id = randomUUIDv7();
  return {
    id,
    lookup: nameOf(key.key, "lookup", request.key),
    sealed: sealMemory(key, id, request),
    content: contentName(key, request),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    passages,
    createdAt: at,
    updatedAt: at,
    ...(request.ttl_seconds !== undefined && { expiresAt: at + request.ttl_seconds * 1_000 }),
  };
}

function contentName(key: SubjectKey, request: RememberRequest): string {
  return nameOf(key.key, "content", canonicalJson(request));
}

function rememberedOf({ key }: RememberRequest, { passages, expiresAt }: StoredMemory, created: boolean): Remembered {
  return {
    key,
    created,
    passages,
    ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
  };
}

function vectorAt(vectors: readonly Float32Array[], position: number): Float32Array {
  const vector = vectors[position];
  if (vector === undefined) throw new TypeError("a passage without its vector");
  return vector;
}

function refused(pointer: string, detail: string): DomainError {
  return new DomainError("VALIDATION_FAILED", `${pointer}: ${detail}.`, { fields: [{ pointer, detail }] });
}

function full(what: string): DomainError {
  return new DomainError(
    "MEMORY_REJECTED",
    `One user may have ${what}, and this one has them; erase, or let some end.`,
  );
}
