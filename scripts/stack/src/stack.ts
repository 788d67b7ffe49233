import { endFirst, type Part, type PartName, type Site } from "./part.ts";
import { PartRunner } from "./part-runner.ts";
import type { Guard } from "./processes/guard.ts";
import type { PartState } from "./state/stack-state.ts";

interface StackParts {
  readonly site: Site;
  readonly marker: string;
  readonly guard: Guard;
  readonly onChange: () => void;
  readonly onLost: (name: PartName) => void;
}

/** The parts of one stack and the order in which they start, stop and start again. */
export class Stack {
  readonly #runners: ReadonlyMap<PartName, PartRunner>;
  readonly #stop = new AbortController();
  /** Restarts one after another: two at once would fight over the same part. */
  #queue: Promise<void> = Promise.resolve();
  #starting: Promise<unknown> = Promise.resolve();

  constructor(parts: readonly Part[], options: StackParts) {
    const { site, marker, guard, onChange, onLost } = options;
    this.#runners = new Map(
      parts.map((part) => {
        const runner = new PartRunner({
          part,
          site,
          marker,
          logFile: `${site.runDir}/logs/${part.name}.log`,
          onStart: (started) => {
            guard.tell({ kind: "leader", leader: started.identity });
          },
          onChange,
          onLost: () => {
            if (!this.#stop.signal.aborted) onLost(part.name);
          },
        });
        return [part.name, runner];
      }),
    );
  }

  get states(): PartState[] {
    return [...this.#runners.values()].map(({ state }) => state);
  }

  /** Fires when the stack is being stopped. */
  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  /** @throws TypeError when the stack was started without this part. */
  runner(name: PartName): PartRunner {
    const runner = this.#runners.get(name);
    if (runner === undefined) throw new TypeError(`this stack has no ${name}`);
    return runner;
  }

  /** Starts all parts at once, each as soon as what it needs is ready. @throws what the first failing part throws. */
  async start(): Promise<void> {
    const started = new Map<PartName, Promise<void>>();
    const begin = (name: PartName): Promise<void> => {
      const known = started.get(name);
      if (known !== undefined) return known;
      const runner = this.runner(name);
      const promise = Promise.all(runner.part.needs.map((need) => begin(need))).then(() =>
        runner.start(this.#stop.signal),
      );
      started.set(name, promise);
      return promise;
    };
    const all = [...this.#runners.keys()].map((name) => begin(name));
    this.#starting = Promise.allSettled(all);
    await Promise.all(all);
  }

  /** Ends a part and starts it again, with those parts that cannot outlive it, on the same ports and data. */
  restart(name: PartName): Promise<void> {
    const job = this.#queue.then(() => this.#restartNow(name));
    this.#queue = job.catch(() => undefined);
    return job;
  }

  async #restartNow(name: PartName): Promise<void> {
    const concerned = [...this.#runners.values()].filter(
      ({ part }) => part.name === name || part.endsWith.includes(name),
    );
    await Promise.all(concerned.map((runner) => runner.end()));
    // All of them to their end, before another restart may touch them.
    const results = await Promise.allSettled(concerned.map((runner) => runner.start(this.#stop.signal)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** Ends all parts: first those that talk to the others while they drain, one after the other, then the rest at once. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#queue, this.#starting]);
    for (const name of endFirst) await this.#runners.get(name)?.end();
    const rest = [...this.#runners.values()].filter(({ part }) => !endFirst.some((name) => name === part.name));
    await Promise.all(rest.map((runner) => runner.end()));
  }
}
