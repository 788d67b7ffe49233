import type { SomaError } from "@soma/client/soma-error";

/** What the exit code of every command means; the reference is made from this table. */
export const exitCodes = {
  ok: { code: 0, meaning: "done" },
  failure: { code: 1, meaning: "it failed: a conflict, an error of the service, an answer that cannot be read" },
  usage: { code: 2, meaning: "the command line is wrong, or a value in it is not accepted" },
  notFound: { code: 3, meaning: "there is no such session, approval, tenant or key, or it is another tenant's" },
  notAllowed: { code: 4, meaning: "not logged in, the login has ended, or it does not carry the right" },
  unavailable: { code: 5, meaning: "nobody answers, or who answers is busy or not ready: try again later" },
  notVerified: { code: 6, meaning: "a ledger does not hold, or a policy pack is not good" },
  notCompleted: {
    code: 7,
    meaning:
      "the session, or the turn that was followed, ended without an answer: denied, failed, canceled, interrupted",
  },
  waits: {
    code: 8,
    meaning: "the turn waits for somebody: an approval, or more budget; standard error says what to do",
  },
  unsure: { code: 9, meaning: "stopped or erased, but not of everything is it known: the answer says of what not" },
  interrupted: { code: 130, meaning: "interrupted by Ctrl-C" },
} as const;
export type ExitName = keyof typeof exitCodes;

/** Something that a command cannot go on after; the message says what, the hint what to do. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exit: ExitName;
  readonly hint: string | undefined;

  constructor(exit: ExitName, message: string, hint?: string) {
    super(message);
    this.exit = exit;
    this.hint = hint;
  }
}

/** What an error of the API means to the exit code. */
export function exitOf(error: SomaError): ExitName {
  const { status, code } = error;
  if (status === 401 || status === 403) return "notAllowed";
  if (status === 404 || status === 410) return "notFound";
  if ([429, 502, 503, 504].includes(status)) return "unavailable";
  if (code === "CONNECTION_FAILED" || code === "TIMED_OUT" || code === "STREAM_LOST") return "unavailable";
  return [400, 413, 414, 422, 431].includes(status) ? "usage" : "failure";
}
