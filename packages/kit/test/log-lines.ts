import { createLogger, type LogLevel, type Logger } from "../src/logger.ts";

/** A logger whose output the test can read. */
export interface LogUnderTest {
  readonly log: Logger;
  /** All that was written, as it was written. */
  readonly text: () => string;
  /** The lines as objects. */
  readonly lines: () => Record<string, unknown>[];
}

export function createTestLog(level: LogLevel = "trace"): LogUnderTest {
  let text = "";
  const log = createLogger("test", level, { write: (line: string) => void (text += line) });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const parsed: Record<string, unknown> = JSON.parse(line);
          return parsed;
        }),
  };
}
