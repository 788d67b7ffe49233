import type { Command, Option } from "commander";

/** One thing that can be typed, and what it means. */
export interface Note {
  readonly name: string;
  readonly meaning: string;
  readonly choices: readonly string[];
  /** What counts when it is not given. */
  readonly fallback?: string;
}

/** A command that does something, in words; for the reference. */
export interface CommandNotes {
  /** With the commands that it belongs to, e.g. `soma session list`. */
  readonly path: string;
  readonly description: string;
  readonly parameters: readonly Note[];
  readonly options: readonly Note[];
}

/** The commands that do something, in the order of the tree. */
export function readCommands(command: Command, path = command.name()): CommandNotes[] {
  if (command.commands.length > 0)
    return command.commands.flatMap((each) => readCommands(each, `${path} ${each.name()}`));
  const parameters = command.registeredArguments.map((argument) => ({
    name: argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    meaning: argument.description,
    choices: argument.argChoices ?? [],
  }));
  return [{ path, description: command.description(), parameters, options: command.options.map(readOption) }];
}

/** An option in words. */
export function readOption({ flags, description, argChoices = [], defaultValue }: Option): Note {
  const fallback: unknown = defaultValue;
  const isSaid = typeof fallback === "string" || typeof fallback === "number";
  return { name: flags, meaning: description, choices: argChoices, ...(isSaid && { fallback: String(fallback) }) };
}
