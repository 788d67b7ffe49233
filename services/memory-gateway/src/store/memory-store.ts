/** Whose memory it is: a user of a tenant. Every question to a store names both. */
export interface Subject {
  readonly tenant: string;
  readonly user: string;
}

/** A subject's key, wrapped by a master key. */
export interface StoredKey extends Subject {
  readonly keyId: string;
  readonly masterKeyId: string;
  readonly wrapped: Uint8Array;
}

/** How many numbers a vector has. */
export const vectorSize = 384;

/** A memory as it is stored. Times are milliseconds since 1970. */
export interface StoredMemory {
  readonly id: string;
  /** What its key is to who has the subject's key; see `nameOf`. */
  readonly lookup: string;
  /** Key, value and metadata, encrypted. */
  readonly sealed: Uint8Array;
  /** What all that was asked for is, to who has the subject's key. */
  readonly content: string;
  readonly idempotencyKey?: string;
  readonly passages: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt?: number;
}

/** A part of a memory that can be found: its text encrypted, its vector not, or nothing could be compared with it. */
export interface NewPassage {
  readonly sealed: Uint8Array;
  readonly vector: Float32Array;
}

export interface MemoryWrite {
  readonly subject: Subject;
  /** The key that encrypted it. When that is not the subject's any more, nothing is written. */
  readonly keyId: string;
  readonly memory: StoredMemory;
  readonly passages: readonly NewPassage[];
  readonly bounds: { readonly memories: number; readonly passages: number };
}

/** `key_gone`: the subject was erased meanwhile. The others: that is all that one subject may have. */
export type WriteOutcome = "created" | "replaced" | "key_gone" | "too_many_memories" | "too_many_passages";

export interface FoundPassage {
  readonly memoryId: string;
  readonly position: number;
  readonly sealed: Uint8Array;
  /** Cosine of the angle between the vectors. */
  readonly score: number;
}

export interface Erased {
  readonly memories: number;
  readonly passages: number;
  readonly keys: number;
}

/**
 * Where memories are. Both stores pass one suite of tests. `now` is milliseconds since 1970; what has expired by then is
 * not there. Any method rejects with `MEMORY_UNAVAILABLE` when the store cannot do it now.
 */
export interface MemoryStore {
  findKey(subject: Subject): Promise<StoredKey | undefined>;

  /** Stores a key unless the subject has one: then another process was first, and its key stands. */
  insertKey(key: StoredKey): Promise<void>;

  /** The master keys that wrap what is stored. */
  masterKeyIds(): Promise<readonly string[]>;

  /** In one transaction: a memory with all its passages takes the place of the one of the same lookup. */
  write(write: MemoryWrite, now: number): Promise<WriteOutcome>;

  find(subject: Subject, lookup: string, now: number): Promise<StoredMemory | undefined>;

  /** The passages of this subject nearest to a vector, nearest first; exact. */
  search(subject: Subject, vector: Float32Array, limit: number, now: number): Promise<readonly FoundPassage[]>;

  /** A subject's memories in the order of their ids, those after the given one. */
  list(subject: Subject, after: string, limit: number, now: number): Promise<readonly StoredMemory[]>;

  /** Removes the subject's key, memories, passages and vectors. */
  erase(subject: Subject): Promise<Erased>;

  /** Removes some of what has expired; answers how many memories. */
  sweep(now: number, limit: number): Promise<number>;

  /** Resolves when a row can be written. */
  checkWritable(): Promise<void>;

  close(): Promise<void>;
}
