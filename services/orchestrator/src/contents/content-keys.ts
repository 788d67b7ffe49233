import { randomBytes, randomUUID } from "node:crypto";
import { ConfigError } from "@soma/kit/config";
import { DomainError } from "@soma/kit/domain-error";
import { seal, unseal } from "@soma/kit/seal";
import type { ContentKeyStore, NewContentKey, StoredContentKey, WrappedKey } from "./content-key-store.ts";
import { contentErased } from "./content-erased.ts";
import { LoadingCache } from "./loading-cache.ts";
import type { MasterKeys } from "./master-keys.ts";
import { subjectName, type Subject } from "./subject.ts";

/** A content key, unwrapped: in memory only, and for minutes. */
export interface ContentKey extends Subject {
  readonly keyId: string;
  readonly generation: number;
  readonly key: Buffer;
}

/** What a rotation did. */
export interface Rotation {
  /** Keys that the current master key wraps now and another one did before. */
  readonly rewrapped: number;
  /** Subjects with a new key. */
  readonly renewed: number;
}

/** A destroyed key or a new one is noticed by every process within this time. */
const maxAgeMs = 300_000;
const maxCached = 2_000;
const pageSize = 200;

/** The keys of data subjects: one is made when a subject's first text is written; the newest encrypts, all decrypt. */
export class ContentKeys {
  readonly #store: ContentKeyStore;
  readonly #masters: MasterKeys;
  readonly #newest: LoadingCache<ContentKey>;
  readonly #byId: LoadingCache<ContentKey>;

  constructor(store: ContentKeyStore, masters: MasterKeys, now: () => number = Date.now) {
    this.#store = store;
    this.#masters = masters;
    this.#newest = new LoadingCache({ entries: maxCached, ageMs: maxAgeMs }, now);
    this.#byId = new LoadingCache({ entries: maxCached, ageMs: maxAgeMs }, now);
  }

  /** The key that encrypts a subject's texts now. @throws DomainError CONTENT_KEY_UNAVAILABLE, AUDIT_UNAVAILABLE */
  newest(subject: Subject): Promise<ContentKey> {
    return this.#newest.get(subjectName(subject), () => this.#findOrMake(subject));
  }

  /** @throws DomainError CONTENT_ERASED, CONTENT_KEY_UNAVAILABLE, AUDIT_UNAVAILABLE */
  byId(tenant: string, keyId: string): Promise<ContentKey> {
    return this.#byId.get(byIdName(tenant, keyId), async () => {
      const stored = await this.#store.find(tenant, keyId);
      if (stored === undefined) throw unavailable(`no content key ${keyId}`);
      if (stored.wrapped === undefined) throw contentErased();
      return this.#unwrap(stored, stored.wrapped);
    });
  }

  /**
   * Destroys a subject's keys: what they encrypted can be read by nobody any more. Who writes for the subject later gets
   * a new key.
   *
   * @returns how many there were
   */
  async destroy(subject: Subject): Promise<number> {
    const destroyed = await this.#store.destroy(subject);
    this.forget(subject);
    for (const keyId of destroyed) this.#byId.forget(byIdName(subject.tenant, keyId));
    return destroyed.length;
  }

  /** What this process remembers as the subject's newest key is looked up again. */
  forget(subject: Subject): void {
    this.#newest.forget(subjectName(subject));
  }

  /**
   * Checks that the configured master keys open what is stored, so that a wrong one stops the start and not a session.
   *
   * @throws ConfigError naming the setting
   */
  async assertMasterKeys(): Promise<void> {
    const { current, all, variable } = this.#masters;
    const needed = new Map<string, number>([[await this.#store.requiredMasterKey(current.id), 0]]);
    for (const { masterKeyId, keys } of await this.#store.holders()) {
      if (masterKeyId !== undefined) needed.set(masterKeyId, (needed.get(masterKeyId) ?? 0) + keys);
    }
    for (const [id, keys] of needed) {
      if (all.has(id)) continue;
      throw new ConfigError(
        `${variable} lacks the master key ${id}, which wraps ${String(keys)} content keys of this ledger; accepted: the key that the ledger was first opened with, or after a rotation the newer one`,
      );
    }
  }

  /**
   * Wraps every key anew that another master key than the current one wraps, and with `renew` gives every subject a new
   * key besides. May run while the service runs, and may be run again when it was cut off.
   */
  async rotate({ renew }: { readonly renew: boolean }): Promise<Rotation> {
    let rewrapped = 0;
    let renewed = 0;
    const tenants = new Set((await this.#store.holders()).map(({ tenant }) => tenant));
    for (const tenant of tenants) {
      let last: StoredContentKey | undefined;
      const leave = async (next?: StoredContentKey): Promise<void> => {
        // Sorted by user: the last of a user's keys is the newest. A destroyed one gets no successor by itself.
        if (renew && last?.wrapped !== undefined && last.user !== next?.user) {
          await this.#store.insert(this.#make(last, last.generation + 1));
          renewed += 1;
        }
        last = next;
      };
      for await (const stored of this.#keysOf(tenant)) {
        await leave(stored);
        if (await this.#rewrap(stored)) rewrapped += 1;
      }
      await leave();
    }
    await this.#store.setRequiredMasterKey(this.#masters.current.id);
    return { rewrapped, renewed };
  }

  async *#keysOf(tenant: string): AsyncGenerator<StoredContentKey> {
    let after = { user: "", generation: 0 };
    for (;;) {
      const page = await this.#store.list({ tenant, after, limit: pageSize });
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  async #rewrap(stored: StoredContentKey): Promise<boolean> {
    if (stored.wrapped === undefined || stored.wrapped.masterKeyId === this.#masters.current.id) return false;
    const { key } = this.#unwrap(stored, stored.wrapped);
    return this.#store.rewrap(stored, this.#wrap(stored, key));
  }

  async #findOrMake(subject: Subject): Promise<ContentKey> {
    for (;;) {
      const stored = await this.#store.findNewest(subject);
      if (stored?.wrapped !== undefined) return this.#unwrap(stored, stored.wrapped);
      // Read again: when another process was first, its key is the subject's.
      await this.#store.insert(this.#make(subject, (stored?.generation ?? 0) + 1));
    }
  }

  #make({ tenant, user }: Subject, generation: number): NewContentKey {
    const named = { tenant, user, keyId: `ck_${randomUUID()}`, generation };
    return { ...named, wrapped: this.#wrap(named, randomBytes(32)) };
  }

  #wrap(named: Omit<StoredContentKey, "wrapped">, key: Uint8Array): WrappedKey {
    const { id, key: master } = this.#masters.current;
    return { masterKeyId: id, bytes: seal(master, placeOf(named), key) };
  }

  #unwrap(stored: StoredContentKey, wrapped: WrappedKey): ContentKey {
    const { tenant, user, keyId, generation } = stored;
    const master = this.#masters.all.get(wrapped.masterKeyId);
    if (master === undefined)
      throw unavailable(`${this.#masters.variable} lacks the master key ${wrapped.masterKeyId}`);
    try {
      return { tenant, user, keyId, generation, key: unseal(master.key, placeOf(stored), wrapped.bytes) };
    } catch (error) {
      throw unavailable(`the content key ${keyId} was changed`, error);
    }
  }
}

function byIdName(tenant: string, keyId: string): string {
  return `${tenant}\n${keyId}`;
}

function placeOf({ tenant, user, keyId }: Omit<StoredContentKey, "wrapped">): string[] {
  return ["soma/content-key/v1", tenant, user, keyId];
}

function unavailable(reason: string, cause?: unknown): DomainError {
  return new DomainError("CONTENT_KEY_UNAVAILABLE", "The text's key cannot be used at the moment.", {
    cause: new Error(reason, { cause }),
  });
}
