import type { Logger } from "@soma/kit/logger";

interface RepeatOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly log: Logger;
  readonly task: () => void | Promise<void>;
}

export interface Repeated {
  readonly name: string;
  /** True when the last run failed. */
  failing(): boolean;
  /** Ends it; resolves when a run under way is over. */
  stop(): Promise<void>;
}

/** Runs a task again and again, never twice at once. A failure is logged when it begins and when it is over. */
export function repeat({ name, everyMs, log, task }: RepeatOptions): Repeated {
  let failure: string | undefined;
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  const run = async (): Promise<void> => {
    busy = true;
    try {
      await task();
      if (failure !== undefined) log.info({ dependency: name }, `${name}: refreshed again`);
      failure = undefined;
    } catch (error) {
      const message = error instanceof Error ? error.message : "unknown";
      if (message !== failure) log.error({ dependency: name, err: error }, `${name}: cannot be refreshed`);
      failure = message;
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => {
    if (!busy) running = run();
  }, everyMs);
  return {
    name,
    failing: () => failure !== undefined,
    stop: () => {
      clearInterval(timer);
      return running;
    },
  };
}
