import { readCommands, readOption, type CommandNotes, type Note } from "../../apps/cli/src/command-notes.ts";
import { exitCodes } from "../../apps/cli/src/exit-codes.ts";
import { buildProgram } from "../../apps/cli/src/program.ts";
import { environmentVariables } from "../../apps/cli/src/settings.ts";
import { code, page, table } from "./markdown.ts";

/** The command line, from its own tree of commands. */
export function cliPage(): string {
  const program = buildProgram();
  return page(
    "Command line",
    "`apps/cli/src`",
    "`node_modules/.bin/soma` in a checkout. Answers go to standard output, words for people to standard error; with `--json` an answer is one JSON document, or one to a line where it is a stream. A first walk: [user-manual/cli.md](../user-manual/cli.md).",
    "## Exit codes",
    table(
      ["code", "meaning"],
      Object.values(exitCodes).map(({ code: number, meaning }) => [String(number), meaning]),
    ),
    "## Environment",
    table(
      ["variable", "meaning"],
      Object.entries(environmentVariables).map(([name, meaning]) => [code(name), meaning]),
    ),
    "Profiles are in `$XDG_CONFIG_HOME/soma/profiles.json` (`~/.config/soma/profiles.json`), a file that is not read when other users of the machine can. A profile's credential is sent to the profile's address and nowhere else. No credential is ever an argument.",
    "## Options of every command",
    notesTable("option", program.options.map(readOption)),
    ...readCommands(program).flatMap((command) => describeCommand(command)),
  );
}

function describeCommand({ path, description, parameters, options }: CommandNotes): string[] {
  return [
    `## ${path}`,
    `${description.charAt(0).toUpperCase()}${description.slice(1)}.`.replaceAll("<", "&lt;"),
    ...(parameters.length > 0 ? [notesTable("argument", parameters)] : []),
    ...(options.length > 0 ? [notesTable("option", options)] : []),
  ];
}

function notesTable(kind: string, notes: readonly Note[]): string {
  return table(
    [kind, "meaning"],
    notes.map(({ name, meaning, choices, fallback }) => [
      code(name),
      meaning +
        (choices.length > 0 ? `: ${choices.map(code).join(", ")}` : "") +
        (fallback === undefined ? "" : `; ${fallback} unless given`),
    ]),
  );
}
