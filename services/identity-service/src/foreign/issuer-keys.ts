import type { Logger } from "@soma/kit/logger";
import type { Counter } from "@soma/kit/metrics";
import { fetchKeySet } from "./fetch-key-set.ts";
import type { ForeignKey } from "./foreign-key.ts";
import { foreignLimits } from "./foreign-limits.ts";

interface IssuerKeysOptions {
  readonly loopbackAllowed: boolean;
  readonly log: Logger;
  readonly fetches: Counter<"result">;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** What is known of one key set. */
interface KnownSet {
  keys: ReadonlyMap<string, ForeignKey> | undefined;
  fetchedAtMs: number;
  nextFetchAtMs: number;
  failing: boolean;
  underWay: Promise<void> | undefined;
}

/**
 * The key sets of foreign issuers. However many tokens come in, and whatever key ids they make up, a set is asked for
 * once at a time, and at most every 30 seconds; five after a failure.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  readonly #sets = new Map<string, KnownSet>();

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** The key with this id in the set at this address; `keys_unavailable` when that cannot be known now. */
  async find(uri: string, kid: string): Promise<ForeignKey | "unknown_key" | "keys_unavailable"> {
    const set = this.#setOf(uri);
    const now = this.#options.clock();
    const isFresh = set.keys !== undefined && now - set.fetchedAtMs < foreignLimits.freshMs;
    if (!isFresh || set.keys?.has(kid) !== true) {
      if (now >= set.nextFetchAtMs) set.underWay ??= this.#refresh(uri, set);
      await set.underWay;
    }
    const isUsable = this.#options.clock() - set.fetchedAtMs < foreignLimits.staleMs;
    const key = isUsable ? set.keys?.get(kid) : undefined;
    // An issuer that cannot be asked may have published the key since.
    return key ?? (set.failing || !isUsable ? "keys_unavailable" : "unknown_key");
  }

  async #refresh(uri: string, set: KnownSet): Promise<void> {
    const { clock, fetches, log, loopbackAllowed } = this.#options;
    const url = URL.parse(uri)?.origin;
    try {
      set.keys = await fetchKeySet(uri, { loopbackAllowed });
      set.fetchedAtMs = clock();
      set.nextFetchAtMs = set.fetchedAtMs + foreignLimits.refetchMs;
      fetches.inc({ result: "fetched" });
      if (set.failing) log.info({ url }, "an issuer gives its keys again");
      set.failing = false;
    } catch (error) {
      set.nextFetchAtMs = clock() + foreignLimits.retryMs;
      fetches.inc({ result: "failed" });
      if (!set.failing) log.warn({ url, err: error }, "an issuer gives no keys");
      set.failing = true;
    } finally {
      set.underWay = undefined;
    }
  }

  #setOf(uri: string): KnownSet {
    const known = this.#sets.get(uri);
    const set = known ?? { keys: undefined, fetchedAtMs: 0, nextFetchAtMs: 0, failing: false, underWay: undefined };
    // Put last again: a map gives its entries in the order in which they came.
    this.#sets.delete(uri);
    this.#sets.set(uri, set);
    for (const oldest of this.#sets.keys()) {
      if (this.#sets.size <= foreignLimits.keySets) break;
      this.#sets.delete(oldest);
    }
    return set;
  }
}
