import { ConfigError } from "./config.ts";
import type { Logger } from "./logger.ts";

/** A started service: what it logs with and how it ends. */
export interface RunningService {
  readonly log: Logger;
  close(): Promise<void>;
}

/** For settings that stop the start: EX_CONFIG of sysexits.h. */
const exitConfig = 78;
const closeWithinMs = 15_000;

/**
 * Runs a service's `main`: checks the Node version, starts, waits for SIGTERM or SIGINT, closes within 15 s, exits.
 * The only place where a process ends itself.
 */
export async function runService(start: () => Promise<RunningService>): Promise<void> {
  // Without the brought Node on PATH everything would run on the system's, without a word.
  if (Number(process.versions.node.split(".")[0]) < 24) {
    process.stderr.write(
      `This needs Node 24 or newer and runs on ${process.versions.node}. Run \`make setup\`, then use the make targets.\n`,
    );
    process.exit(exitConfig);
  }
  let service: RunningService;
  try {
    service = await start();
  } catch (error) {
    process.stderr.write(error instanceof ConfigError ? `${error.message}\n` : `start failed: ${describe(error)}\n`);
    process.exit(error instanceof ConfigError ? exitConfig : 1);
  }
  const { log } = service;
  const end = (code: number): void => {
    process.once("SIGTERM", () => process.exit(1));
    setTimeout(() => process.exit(1), closeWithinMs).unref();
    service.close().then(
      () => process.exit(code),
      (error: unknown) => {
        log.error({ err: error }, "closing failed");
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info({ signal }, "stopping");
      end(0);
    });
  }
  process.once("uncaughtException", (error) => {
    log.fatal({ err: error }, "uncaught exception");
    end(1);
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
