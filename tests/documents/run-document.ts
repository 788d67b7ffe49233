import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** One block of commands of a document, and what the document says of it. */
export interface Step {
  /** Where it stands, for whoever has to look. */
  readonly line: number;
  /** What must be so before it is run: `<!-- given: … -->`. */
  readonly given?: string;
  readonly commands: string;
  /** What its output must show, as regular expressions: `<!-- shows: … -->` after the block. */
  readonly shows: readonly RegExp[];
}

export interface ExecutableDocument {
  /** Commands that set the variables of all others: the block after `<!-- variables -->`. */
  readonly variables: string;
  readonly steps: readonly Step[];
}

/** Reads the shell blocks (fence `sh`) of a Markdown text, with the directives around them. @throws Error for a directive that belongs to no block. */
export function readDocument(text: string): ExecutableDocument {
  const steps: (Step & { shows: RegExp[] })[] = [];
  let variables = "";
  let isVariables = false;
  let given: string | undefined;
  let block: { line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [, directive, value = ""] = /^<!-- (\w+)(?:: (.*))? -->$/.exec(line) ?? [];
    if (block) {
      if (line !== "```") {
        block.lines.push(line);
        continue;
      }
      const commands = block.lines.join("\n");
      if (isVariables) variables = commands;
      else steps.push({ line: block.line, commands, shows: [], ...(given !== undefined && { given }) });
      block = undefined;
      isVariables = false;
      given = undefined;
    } else if (line === "```sh") block = { line: index + 1, lines: [] };
    else if (directive === "variables") isVariables = true;
    else if (directive === "given") given = value;
    else if (directive === "shows") {
      const step = steps.at(-1);
      if (!step) throw new Error(`line ${String(index + 1)}: nothing was run that could show this`);
      step.shows.push(new RegExp(value));
    }
  }
  if (given !== undefined || block) throw new Error("the document ends within a step");
  return { variables, steps };
}

/** What brings about each condition that a document names; without a value it is one that a step's output shows by itself. */
export type Conditions = Readonly<Record<string, () => Promise<void>>>;

const withinMs = 45_000;

/**
 * Runs the steps of a document in their order, as a reader would who types them one by one and again until they show
 * what the document says.
 *
 * @throws Error naming the line when a command fails, or does not show within 45 s what it should
 */
export async function runDocument(
  file: string,
  conditions: Conditions,
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const { variables, steps } = readDocument(readFileSync(file, "utf8"));
  for (const { line, given, commands, shows } of steps) {
    if (given !== undefined) {
      const bringAbout = conditions[given];
      if (!bringAbout) throw new Error(`${file}:${String(line)}: no test knows how to bring about "${given}"`);
      await bringAbout();
    }
    const deadline = Date.now() + withinMs;
    for (;;) {
      const { code, output } = await runCommands(`${variables}\n${commands}`, environment);
      const absent = shows.filter((pattern) => !pattern.test(output));
      if (code === 0 && absent.length === 0) break;
      if (Date.now() > deadline)
        throw new Error(
          `${file}:${String(line)}: exit status ${String(code)}, not shown: ${absent.join(", ")}\n${commands}\n${output}`,
        );
      await sleep(500);
    }
  }
  return steps.length;
}

async function runCommands(
  script: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ code: number; output: string }> {
  const child = spawn("bash", ["-c", script], { env: { ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      output += bytes.toString();
    });
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return { code: typeof code === "number" ? code : 1, output };
}
