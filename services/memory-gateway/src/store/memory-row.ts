import type { FoundPassage, MemoryWrite, StoredKey, StoredMemory, WriteOutcome } from "./memory-store.ts";
import { bytesOf, integerOf, numberOf, textOf, type StoredRow } from "./stored-row.ts";

/** The columns of {@link readMemory}, in both stores. */
export const memoryColumns =
  "id, lookup, sealed, content, idempotency_key, passages, created_at, updated_at, expires_at";

export function readMemory(row: StoredRow): StoredMemory {
  return {
    id: textOf(row, "id"),
    lookup: textOf(row, "lookup"),
    sealed: bytesOf(row, "sealed"),
    content: textOf(row, "content"),
    ...(row["idempotency_key"] !== null && { idempotencyKey: textOf(row, "idempotency_key") }),
    passages: integerOf(row, "passages"),
    createdAt: integerOf(row, "created_at"),
    updatedAt: integerOf(row, "updated_at"),
    ...(row["expires_at"] !== null && { expiresAt: integerOf(row, "expires_at") }),
  };
}

export function readKey(row: StoredRow): StoredKey {
  return {
    tenant: textOf(row, "tenant"),
    user: textOf(row, "user"),
    keyId: textOf(row, "key_id"),
    masterKeyId: textOf(row, "master_key_id"),
    wrapped: bytesOf(row, "wrapped"),
  };
}

/** `distance` is 1 - cosine, in both stores. */
export function readPassage(row: StoredRow): FoundPassage {
  return {
    memoryId: textOf(row, "memory_id"),
    position: integerOf(row, "position"),
    sealed: bytesOf(row, "sealed"),
    score: Math.max(-1, Math.min(1, 1 - numberOf(row, "distance"))),
  };
}

/** Which bound a subject that holds so much would go over, if any. */
export function boundReached(
  held: StoredRow,
  more: number,
  bounds: MemoryWrite["bounds"],
): Extract<WriteOutcome, "too_many_memories" | "too_many_passages"> | undefined {
  if (integerOf(held, "memories") >= bounds.memories) return "too_many_memories";
  return integerOf(held, "passages") + more > bounds.passages ? "too_many_passages" : undefined;
}

/** The memory as it takes the place of another; undefined when that had expired, and so was not there any more. */
export function replacedBy(memory: StoredMemory, before: StoredMemory, now: number): StoredMemory | undefined {
  if (before.expiresAt !== undefined && before.expiresAt <= now) return undefined;
  return { ...memory, createdAt: before.createdAt };
}

/** Little-endian floats, as sqlite-vec takes them. */
export function bytesOfVector(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
