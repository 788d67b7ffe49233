import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Somebody else runs the stack of this folder. */
export class AlreadyRunningError extends Error {
  override readonly name = "AlreadyRunningError";
}

/**
 * Takes the right to run a stack in this folder. The lock is a listening socket in Linux's abstract namespace
 * (unix(7)): the kernel frees it with the process, so that there is no stale lock to judge.
 *
 * @returns a function that gives it back.
 * @throws AlreadyRunningError when another process has it.
 */
export async function lockRun(runDir: string): Promise<() => void> {
  const server = createServer((socket) => socket.destroy());
  const digest = createHash("sha256").update(runDir).digest("hex").slice(0, 32);
  try {
    server.listen({ path: `\0soma-stack-${digest}` });
    await once(server, "listening");
  } catch (error) {
    throw new AlreadyRunningError(`a stack already runs in ${runDir}`, { cause: error });
  }
  server.unref();
  return () => server.close();
}
