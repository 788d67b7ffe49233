import { randomBytes, randomUUID } from "node:crypto";
import { ConfigError } from "@soma/kit/config";
import { DomainError } from "@soma/kit/domain-error";
import { seal, unseal } from "@soma/kit/seal";
import type { MemoryStore, StoredKey, Subject } from "../store/memory-store.ts";
import type { MasterKeys } from "./master-keys.ts";

/** A subject's key, unwrapped: for the length of one request. */
export interface SubjectKey extends Subject {
  readonly keyId: string;
  readonly key: Buffer;
}

/**
 * One key for each user of a tenant, which encrypts all that is remembered of him. Read from the store for each request
 * and kept nowhere, so that one that another process destroyed opens nothing any more.
 */
export class SubjectKeys {
  readonly #store: Pick<MemoryStore, "findKey" | "insertKey" | "masterKeyIds">;
  readonly #masters: MasterKeys;

  constructor(store: Pick<MemoryStore, "findKey" | "insertKey" | "masterKeyIds">, masters: MasterKeys) {
    this.#store = store;
    this.#masters = masters;
  }

  /** Undefined when nothing was ever remembered of the subject, or all of it was erased. @throws DomainError */
  async find(subject: Subject): Promise<SubjectKey | undefined> {
    const stored = await this.#store.findKey(subject);
    return stored && this.#unwrap(stored);
  }

  /** @throws DomainError MEMORY_UNAVAILABLE, CONTENT_KEY_UNAVAILABLE */
  async findOrMake(subject: Subject): Promise<SubjectKey> {
    for (;;) {
      const found = await this.find(subject);
      if (found) return found;
      // Read again: when another process was first, its key is the subject's.
      await this.#store.insertKey(this.#make(subject));
    }
  }

  /** So that a wrong master key stops the start and not a session. @throws ConfigError */
  async assertMasterKeys(): Promise<void> {
    for (const id of await this.#store.masterKeyIds()) {
      if (this.#masters.all.has(id)) continue;
      throw new ConfigError(
        `MEMORY_MASTER_KEY_FILE lacks the master key ${id}, which wraps keys of this database; accepted: a file that holds it`,
      );
    }
  }

  #make({ tenant, user }: Subject): StoredKey {
    const keyId = `sk_${randomUUID()}`;
    const { id, key: master } = this.#masters.current;
    const wrapped = seal(master, placeOf({ tenant, user, keyId }), randomBytes(32));
    return { tenant, user, keyId, masterKeyId: id, wrapped };
  }

  #unwrap(stored: StoredKey): SubjectKey {
    const { tenant, user, keyId, masterKeyId, wrapped } = stored;
    const master = this.#masters.all.get(masterKeyId);
    try {
      if (master === undefined) throw new Error(`no master key ${masterKeyId}`);
      return { tenant, user, keyId, key: unseal(master.key, placeOf(stored), wrapped) };
    } catch (error) {
      throw new DomainError("CONTENT_KEY_UNAVAILABLE", "The memory's key cannot be used at the moment.", {
        cause: error,
      });
    }
  }
}

function placeOf({ tenant, user, keyId }: Pick<StoredKey, "tenant" | "user" | "keyId">): string[] {
  return ["soma/memory-key/v1", tenant, user, keyId];
}
