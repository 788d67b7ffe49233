import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import type { SessionPlan } from "./plan.ts";
import type { ClientSession } from "./records.ts";
import { SessionClient } from "./session-client.ts";

const maxOpen = 20;
const paceMs = 150;

/** Keeps sessions coming: a new one each moment, a bounded number open, no more than are asked for so far. */
export class Load {
  readonly #plans: readonly SessionPlan[];
  readonly #url: string;
  readonly #dispatcher = new Agent({ connections: 256, connect: { timeout: 2_000 } });
  readonly #stop = new AbortController();
  readonly #clients: SessionClient[] = [];
  readonly #running = new Set<Promise<void>>();
  #finished: Promise<void> | undefined;
  /** How many of the planned sessions may have been started. */
  quota = 0;

  constructor(url: string, plans: readonly SessionPlan[]) {
    this.#url = url;
    this.#plans = plans;
  }

  get started(): number {
    return this.#clients.length;
  }

  get left(): number {
    return this.#plans.length - this.#clients.length;
  }

  get open(): number {
    return this.#running.size;
  }

  /** Starts as many more as it takes to have `count` open, as far as there are plans. */
  press(count: number): void {
    if (this.#running.size < count) this.quota = Math.max(this.quota, this.started + count - this.#running.size);
  }

  start(): void {
    this.#finished = this.#run();
  }

  /** Resolves when each client has seen its session's end, or after `withinMs`, or when the signal fires. */
  async finish(withinMs: number, signal: AbortSignal): Promise<void> {
    this.quota = this.#plans.length;
    const timeUp = sleep(withinMs, undefined, { signal, ref: false }).catch(() => undefined);
    await Promise.race([this.#finished, timeUp]);
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#finished;
    await this.#dispatcher.destroy();
  }

  get records(): ClientSession[] {
    return this.#clients.map(({ record }) => record);
  }

  async #run(): Promise<void> {
    for (const plan of this.#plans) {
      while (!this.#stop.signal.aborted && (this.#clients.length >= this.quota || this.#running.size >= maxOpen))
        await sleep(50);
      if (this.#stop.signal.aborted) break;
      const client = new SessionClient(this.#url, plan, this.#dispatcher, this.#stop.signal);
      this.#clients.push(client);
      const run = client.run().finally(() => this.#running.delete(run));
      this.#running.add(run);
      await sleep(paceMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    await Promise.all(this.#running);
  }
}
