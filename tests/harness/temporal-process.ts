import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Owner } from "./service-process.ts";
import { stackUnderTest } from "./stack-under-test.ts";

/** A Temporal server of the test's own, on a port and database that it can come back to. */
export function startTemporal(
  owner: Owner,
  port: number,
  folder: string,
  dynamicConfig: readonly string[] = [],
): ChildProcess {
  const args = [
    "--headless",
    "--log-level=error",
    `--port=${String(port)}`,
    `--db-filename=${join(folder, "temporal.db")}`,
    "--sqlite-pragma=journal_mode=wal",
    ...dynamicConfig.map((setting) => `--dynamic-config-value=${setting}`),
  ];
  const server = spawn(stackUnderTest().temporalCli, ["server", "start-dev", ...args], { stdio: "ignore" });
  const exited = once(server, "exit");
  owner.after(async () => {
    server.kill("SIGKILL");
    await exited;
  });
  return server;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
