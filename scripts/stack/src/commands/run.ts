import { Progress } from "../progress.ts";
import { startStack, type StackOptions } from "../start-stack.ts";
import { describeAddresses } from "./addresses.ts";

/** Runs the stack in the foreground until Ctrl-C; parts that end are started again. */
export async function run(options: StackOptions): Promise<void> {
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => {
        process.stdout.write("\nstopping ...\n");
        stop.abort();
        resolve();
      });
  });
  const progress = new Progress();
  const supervise = (line: string): void => {
    progress.end();
    process.stdout.write(`${line}\n`);
  };
  const onChange: StackOptions["onChange"] = (state) => {
    progress.show(state);
  };
  const stack = await startStack({ ...options, memory: true, supervise, onChange, signal: stop.signal });
  progress.end();
  process.stdout.write(`\nThe stack runs; Ctrl-C ends it.\n${describeAddresses(stack.state)}\n\n`);
  const alive = setInterval(() => undefined, 60_000);
  await stopped;
  await stack.stop();
  clearInterval(alive);
  progress.end();
}
