import { createClient, type SomaClient } from "@soma/client/client";
import type { Command } from "commander";
import { CliError } from "./exit-codes.ts";
import { openTerminal, type Terminal } from "./output/terminal.ts";
import { readSettings, type GlobalOptions, type Settings } from "./settings.ts";

/** A person waits: what fails in passing is tried again for so long, in milliseconds. */
const timeoutMs = 5_000;
/** For what a session's worker has to do first: one that takes over from a dead one needs some seconds. */
export const actionTimeoutMs = 20_000;
/** For what reaches many sessions: the service takes a minute and a half at most, and its answer is waited for. */
export const stopTimeoutMs = 100_000;

/** What a command works with. */
export interface Context {
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly soma: SomaClient;
  /** Writes the answer: one JSON document with `--json`, else what `readable` makes of it. */
  readonly answer: <Value>(value: Value, readable: (value: Value) => string) => void;
}

/** Settles the settings of a command that was called, and opens the client. @throws CliError. */
export function openContext(command: Command, withinMs = timeoutMs): Context {
  const options: GlobalOptions = command.optsWithGlobals();
  const settings = readSettings(options);
  const terminal = openTerminal();
  const { notes, token, tenant } = settings;
  if (notes?.expiresAt && notes.expiresAt.getTime() <= Date.now())
    throw new CliError("notAllowed", `The login ended at ${notes.expiresAt.toISOString()}.`, "soma login");
  if (token !== undefined && isOpenToOthers(settings.url))
    terminal.say(
      `soma: ${settings.url} is neither https nor this machine: others on the way can read the credential.\n`,
    );
  return {
    settings,
    terminal,
    soma: createClient({
      baseUrl: settings.url,
      timeoutMs: withinMs,
      ...(withinMs === stopTimeoutMs && { attemptTimeoutMs: withinMs }),
      ...(token !== undefined && { token }),
      ...(tenant !== undefined && { tenant }),
    }),
    answer: (value, readable) => {
      terminal.out(settings.json ? `${JSON.stringify(value, undefined, 2)}\n` : readable(value));
    },
  };
}

function isOpenToOthers(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
