import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A relay in a process of its own, to be killed or stopped as a fault would. */
export interface RelayProcess extends AsyncDisposable {
  /** Events that it says it has delivered. */
  delivered(): number;
  signal(signal: NodeJS.Signals): void;
  kill(): Promise<void>;
}

export function startRelayProcess(file: string, broker: string, leaseMs: number): RelayProcess {
  const program = fileURLToPath(new URL("relay-program.ts", import.meta.url));
  const child = spawn(process.execPath, [program, file, broker, String(leaseMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let delivered = 0;
  createInterface({ input: child.stdout }).on("line", (line) => (delivered = Number(line)));
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    delivered: () => delivered,
    signal: (signal) => void child.kill(signal),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
