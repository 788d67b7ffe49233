import type { Subject } from "./subject.ts";

/** A content key as it is stored: wrapped by a master key, or destroyed. */
export interface StoredContentKey extends Subject {
  /** `ck_` and a UUID. */
  readonly keyId: string;
  /** Counts the subject's keys from 1. */
  readonly generation: number;
  /** Absent once the key was destroyed: what it encrypted is gone for good. */
  readonly wrapped?: WrappedKey;
}

export interface WrappedKey {
  readonly masterKeyId: string;
  readonly bytes: Uint8Array;
}

export interface NewContentKey extends StoredContentKey {
  readonly wrapped: WrappedKey;
}

/** How many keys of a tenant a master key wraps; no master key: destroyed ones. */
export interface KeyHolder {
  readonly tenant: string;
  readonly masterKeyId?: string;
  readonly keys: number;
}

/** The content keys in the ledger's database. Any method rejects with `AUDIT_UNAVAILABLE` when the store cannot do it now. */
export interface ContentKeyStore {
  /** The key with the highest generation, destroyed or not. */
  findNewest(subject: Subject): Promise<StoredContentKey | undefined>;

  find(tenant: string, keyId: string): Promise<StoredContentKey | undefined>;

  /** Stores a key, unless the subject has one of this generation: then another process was first, and its key stands. */
  insert(key: NewContentKey): Promise<void>;

  holders(): Promise<readonly KeyHolder[]>;

  /** A tenant's keys by user and generation. */
  list(query: {
    readonly tenant: string;
    readonly after: { readonly user: string; readonly generation: number };
    readonly limit: number;
  }): Promise<readonly StoredContentKey[]>;

  /**
   * Destroys all keys of a subject that are not destroyed yet, and says which. What they encrypted is gone for good, for
   * every process at once.
   */
  destroy(subject: Subject): Promise<readonly string[]>;

  /** Replaces a key's wrapping, unless somebody else has meanwhile. */
  rewrap(key: StoredContentKey, wrapped: WrappedKey): Promise<boolean>;

  /** The master key that whoever opens the store must have; `first` is taken when there is none yet. */
  requiredMasterKey(first: string): Promise<string>;

  setRequiredMasterKey(masterKeyId: string): Promise<void>;
}
