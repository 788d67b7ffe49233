import type { WrittenAt } from "./forwarder-messages.ts";

/**
 * The last offsets that the brokers gave, by partition. The client was seen to report offsets that it had reported
 * before, for records that nobody had written: an offset that does not rise is no acknowledgement.
 */
export class OffsetWatch {
  readonly #last = new Map<number, bigint>();

  /** True when a batch was written in places that are new; all of it is then remembered. */
  accept(written: readonly WrittenAt[]): boolean {
    const rises = ({ partition, offset }: WrittenAt): boolean =>
      offset >= 0n && offset > (this.#last.get(partition) ?? -1n);
    if (written.length === 0 || !written.every(rises)) return false;
    for (const { partition, offset } of written) this.#last.set(partition, offset);
    return true;
  }

  /**
   * To be called when a batch was not accepted, with a new producer: a topic that was made anew begins at 0 again, and
   * would otherwise never be believed.
   */
  forget(): void {
    this.#last.clear();
  }
}
