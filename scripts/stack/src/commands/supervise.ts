import { startStack, type StackOptions } from "../start-stack.ts";

/** What the detached owner of a stack tells the `up` that started it. */
type OwnerMessage =
  | { readonly kind: "state"; readonly state: unknown }
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string };

/**
 * The detached owner of a stack, started by `up`: reports to it over the IPC channel until all is ready, then lives
 * on its own until SIGTERM. Its output is its log.
 */
export async function supervise(options: StackOptions): Promise<void> {
  const stop = new AbortController();
  let ready = false;
  const stopped = new Promise<void>((resolve) => {
    const end = (): void => {
      stop.abort();
      resolve();
    };
    process.once("SIGTERM", end);
    process.once("SIGINT", end);
    // `up` was ended before its stack was ready: nobody would know of what is left.
    process.once("disconnect", () => {
      if (!ready) end();
    });
  });
  try {
    const stack = await startStack({
      ...options,
      memory: true,
      supervise: log,
      signal: stop.signal,
      onChange: (state) => {
        tell({ kind: "state", state });
      },
    });
    ready = true;
    log(`ready, pid ${String(process.pid)}`);
    tell({ kind: "ready" });
    if (process.connected) process.disconnect();
    const alive = setInterval(() => undefined, 60_000);
    await stopped;
    log("stopping");
    await stack.stop();
    clearInterval(alive);
    log("stopped");
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log(message);
    tell({ kind: "failed", message });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  }
}

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}

function tell(message: OwnerMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
