import { setTimeout as sleep } from "node:timers/promises";
import { Slots } from "./slots.ts";

const holdMs = 250;
const maxOfOne = 100;
const maxOfAll = 1_000;

/**
 * Lets those wait who come too often, before they are told so: who asks again as soon as he was answered is slowed down
 * to what costs nearly nothing. Bounded: a refusal that finds no place is given at once.
 */
export class HoldBack {
  readonly #held = new Slots(maxOfAll);

  async hold(key: string): Promise<void> {
    const leave = this.#held.enter(key, maxOfOne);
    if (leave === undefined) return;
    await sleep(holdMs);
    leave();
  }
}
