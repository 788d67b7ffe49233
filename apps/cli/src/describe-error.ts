import { SomaError } from "@soma/client/soma-error";
import { CliError, exitOf, type ExitName } from "./exit-codes.ts";
import { harmless } from "./output/terminal.ts";

/** An error in words for people, and the exit code that goes with it. Holds no credential: no error of ours does. */
export function describeError(error: unknown): { readonly exit: ExitName; readonly text: string } {
  if (error instanceof CliError) return { exit: error.exit, text: lines(error.message, { next: error.hint }) };
  if (error instanceof SomaError) {
    const exit = exitOf(error);
    return {
      exit,
      text: lines(error.detail, {
        code: error.status === 0 ? error.code : `${error.code} (${String(error.status)})`,
        "request id": error.requestId,
        next: nextStep(error, exit),
      }),
    };
  }
  if (error instanceof Error && error.name === "AbortError") return { exit: "interrupted", text: "" };
  return { exit: "failure", text: lines(error instanceof Error ? error.message : "It failed.", {}) };
}

function nextStep({ code, retryAfterSeconds }: SomaError, exit: ExitName): string | undefined {
  if (code === "UNAUTHENTICATED") return "soma login";
  if (code === "STREAM_LOST" || code === "CONNECTION_FAILED" || code === "TIMED_OUT") return "soma doctor";
  if (retryAfterSeconds !== undefined) return `try again in ${String(retryAfterSeconds)} s`;
  return exit === "unavailable" ? "soma doctor" : undefined;
}

function lines(first: string, more: Readonly<Record<string, string | undefined>>): string {
  const rest = Object.entries(more).flatMap(([name, value]) => (value === undefined ? [] : [`  ${name}: ${value}`]));
  return `${[`soma: ${first}`, ...rest].map(harmless).join("\n")}\n`;
}
