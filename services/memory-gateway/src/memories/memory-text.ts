import { Memory, Passage, type RememberRequest } from "@soma/contracts/memory";
import { canonicalJson } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { Type, type Static } from "typebox";
import { Value } from "typebox/value";
import { seal, unseal } from "@soma/kit/seal";
import type { SubjectKey } from "../keys/subject-keys.ts";
import type { FoundPassage, StoredMemory } from "../store/memory-store.ts";

const SealedMemory = Type.Pick(Memory, ["key", "value", "metadata"]);
const SealedPassage = Type.Pick(Passage, ["key", "text"]);

/** Key, value and metadata of a memory as one text; the key may say as much of a person as the value. */
export function sealMemory(key: SubjectKey, id: string, { key: name, value, metadata }: RememberRequest): Buffer {
  const text = { key: name, value, ...(metadata !== undefined && { metadata }) };
  return seal(key.key, placeOfMemory(key, id), Buffer.from(canonicalJson(text), "utf8"));
}

export function sealPassage(key: SubjectKey, id: string, position: number, text: Static<typeof SealedPassage>): Buffer {
  return seal(key.key, placeOfPassage(key, id, position), Buffer.from(canonicalJson(text), "utf8"));
}

/** @throws DomainError CONTENT_UNREADABLE */
export function openMemory(key: SubjectKey, stored: StoredMemory): Memory {
  const text = open(SealedMemory, () => unseal(key.key, placeOfMemory(key, stored.id), stored.sealed));
  return {
    ...text,
    created_at: new Date(stored.createdAt).toISOString(),
    updated_at: new Date(stored.updatedAt).toISOString(),
    ...(stored.expiresAt !== undefined && { expires_at: new Date(stored.expiresAt).toISOString() }),
  };
}

/** @throws DomainError CONTENT_UNREADABLE */
export function openPassage(key: SubjectKey, found: FoundPassage): Passage {
  const { memoryId, position, sealed, score } = found;
  const text = open(SealedPassage, () => unseal(key.key, placeOfPassage(key, memoryId, position), sealed));
  // What lies beyond is noise of the stores' single-precision arithmetic.
  return { ...text, score: Math.round(score * 1e5) / 1e5 };
}

function open<Schema extends typeof SealedMemory | typeof SealedPassage>(
  schema: Schema,
  unsealed: () => Buffer,
): Static<Schema> {
  try {
    return Value.Parse(schema, JSON.parse(unsealed().toString("utf8")));
  } catch (error) {
    throw new DomainError("CONTENT_UNREADABLE", "The memory was changed and cannot be decrypted.", { cause: error });
  }
}

function placeOfMemory({ tenant, user }: SubjectKey, id: string): string[] {
  return ["soma/memory/v1", tenant, user, id];
}

function placeOfPassage({ tenant, user }: SubjectKey, id: string, position: number): string[] {
  return ["soma/memory-passage/v1", tenant, user, id, String(position)];
}
