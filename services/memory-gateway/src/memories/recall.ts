import type { Memory } from "@soma/contracts/memory";
import { DomainError } from "@soma/kit/domain-error";
import { nameOf } from "../keys/name-of.ts";
import type { MemoryParts } from "../memory-gateway.ts";
import type { Subject } from "../store/memory-store.ts";
import { openMemory } from "./memory-text.ts";

/** What is remembered under a key. @throws DomainError MEMORY_NOT_FOUND, MEMORY_UNAVAILABLE, CONTENT_UNREADABLE */
export async function recall({ keys, store, now }: MemoryParts, subject: Subject, key: string): Promise<Memory> {
  const subjectKey = await keys.find(subject);
  const stored = subjectKey && (await store.find(subject, nameOf(subjectKey.key, "lookup", key), now()));
  if (subjectKey === undefined || stored === undefined)
    throw new DomainError("MEMORY_NOT_FOUND", "Nothing is remembered under this key.");
  return openMemory(subjectKey, stored);
}
