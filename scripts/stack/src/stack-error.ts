import { readFileSync } from "node:fs";
import type { PartName } from "./part.ts";

interface PartFailure {
  readonly part: PartName;
  readonly reason: string;
  readonly logFile: string;
  readonly advice: string;
}

/** A part that did not get ready. The message is for a person: what, the end of its log, what to do. */
export class PartFailedError extends Error {
  override readonly name = "PartFailedError";
  readonly part: PartName;

  constructor(failure: PartFailure) {
    const tail = readTail(failure.logFile, 20);
    const shown = tail === "" ? "  (its log is empty)" : tail.replaceAll(/^/gm, "  | ");
    super(`${failure.part} ${failure.reason}.\n${shown}\nWhole log: ${failure.logFile}\nWhat to do: ${failure.advice}`);
    this.part = failure.part;
  }
}

function readTail(path: string, lines: number): string {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}
