import { ConfigError } from "@soma/kit/config";
import { tokenLimits } from "../token-limits.ts";
import { createKey, openKeyFolder, readKeys, removeKey, type SigningKey } from "./key-file.ts";

export interface KeyPolicy {
  readonly dir: string;
  /** A key that has signed for so long is followed by a new one. */
  readonly rotationSeconds: number;
  /** For so long a new key is published before it signs: verifiers that keep the key set have it by then. */
  readonly prepublishSeconds: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/**
 * A key stays for verification until the last token that it signed has expired everywhere; ten minutes are added
 * because a process may still sign with it when its clock is behind.
 */
const retentionSeconds = tokenLimits.userTtlSeconds + tokenLimits.leewaySeconds + 600;

/**
 * The signing keys of a folder. Which key signs and which are kept follows from the files and the clock alone, so any
 * number of processes can share the folder.
 */
export class KeyRing {
  readonly #policy: KeyPolicy;
  #keys: readonly SigningKey[] = [];

  private constructor(policy: KeyPolicy) {
    this.#policy = policy;
  }

  /** Reads the keys and makes the first one. @throws ConfigError when a key is open to others. */
  static async open(policy: KeyPolicy): Promise<KeyRing> {
    openKeyFolder(policy.dir);
    const ring = new KeyRing(policy);
    await ring.refresh();
    return ring;
  }

  /** The key that signs now: of those that are active the newest. */
  signingKey(): SigningKey {
    // Without an active key – its file was taken away – the next one serves at once rather than nobody.
    const key = this.#keys.findLast(({ activatesAt }) => activatesAt <= this.#now()) ?? this.#keys[0];
    if (key === undefined) throw new Error("there is no signing key");
    return key;
  }

  /** The key with this id, among the known ones only. */
  find(kid: string): SigningKey | undefined {
    return this.#keys.find((key) => key.kid === kid);
  }

  /** All keys that may have signed a valid token or will sign soon; RFC 7517 key set. */
  publicSet(): { keys: SigningKey["publicJwk"][] } {
    return { keys: this.#keys.map(({ publicJwk }) => publicJwk) };
  }

  /** Takes over what other processes did, rotates when it is time and drops keys that are not needed any more. */
  async refresh(): Promise<void> {
    const { dir, rotationSeconds } = this.#policy;
    const now = this.#now();
    let keys = await readKeys(dir);
    const newest = keys.at(-1);
    if (newest === undefined) createKey(dir, 1, now);
    else if (newest.activatesAt + rotationSeconds <= now) this.#createNext(keys);
    keys = await readKeys(dir);
    if (keys.length === 0) throw new ConfigError(`${dir} holds no key`);
    this.#keys = keys.filter((key, index) => {
      const next = keys[index + 1];
      const isOver = next !== undefined && next.activatesAt + retentionSeconds < now;
      if (isOver) removeKey(dir, key.sequence);
      return !isOver;
    });
  }

  /** Publishes a new key that signs after the prepublish window, whatever the age of the active one. */
  async rotate(): Promise<SigningKey> {
    const sequence = this.#createNext(await readKeys(this.#policy.dir));
    await this.refresh();
    const made = this.#keys.find((key) => key.sequence === sequence);
    if (made === undefined) throw new Error("the new key is gone");
    return made;
  }

  #createNext(keys: readonly SigningKey[]): number {
    const sequence = Math.max(0, ...keys.map((key) => key.sequence)) + 1;
    createKey(this.#policy.dir, sequence, this.#now() + this.#policy.prepublishSeconds);
    return sequence;
  }

  #now(): number {
    return Math.floor(this.#policy.clock() / 1_000);
  }
}
