import { isIPv6 } from "node:net";
import { TokenBuckets } from "./token-bucket.ts";

const maxAddresses = 50_000;

/** What one client address may send before it has shown a good token. */
export class StrangerLimits {
  readonly #buckets: TokenBuckets;
  readonly #perMinute: number;

  constructor(perMinute: number, clock?: () => number) {
    this.#perMinute = perMinute;
    this.#buckets = new TokenBuckets({ maxKeys: maxAddresses, ...(clock && { clock }) });
  }

  /** @returns 0, or after how many milliseconds it may come again. */
  take(address: string): number {
    return this.#buckets.take(networkOf(address), this.#perMinute);
  }

  /** A token that proved good costs nothing. */
  giveBack(address: string): void {
    this.#buckets.giveBack(networkOf(address), this.#perMinute);
  }
}

/** Who has one IPv6 address has 2^64 of them (RFC 6177): they count as one. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => "0"), ...right].slice(0, 4).join(":");
}
