import type { MemoryParts } from "../memory-gateway.ts";
import type { Subject } from "../store/memory-store.ts";
import { openMemory } from "./memory-text.ts";

const pageSize = 50;

/** All that is remembered of a subject, one JSON document a line. @throws DomainError, also in the middle */
export async function* exportSubject({ keys, store, now }: MemoryParts, subject: Subject): AsyncGenerator<string> {
  const key = await keys.find(subject);
  if (key === undefined) return;
  let after = "";
  for (;;) {
    const page = await store.list(subject, after, pageSize, now());
    for (const stored of page) yield `${JSON.stringify(openMemory(key, stored))}\n`;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}
