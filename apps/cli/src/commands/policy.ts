import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError, exitCodes } from "../exit-codes.ts";
import { openTerminal } from "../output/terminal.ts";
import { runTool, toolFile } from "../run-tool.ts";
import type { GlobalOptions } from "../settings.ts";

/** `soma policy …` */
export function addPolicy(program: Command): void {
  const policy = program.command("policy").description("policy packs");
  policy
    .command("test")
    .description("check packs as the policy engine would on loading them, their own examples included")
    .argument("<pack...>", "pack files (YAML)")
    .action(testPacks);
}

async function testPacks(packs: readonly string[], _flags: object, command: Command): Promise<void> {
  const { json = false }: GlobalOptions = command.optsWithGlobals();
  const terminal = openTerminal();
  const { code, stdout, stderr } = await runTool(
    toolFile("services/policy-engine/src/check-pack.ts"),
    packs.map((path) => resolve(path)),
  );
  if (code !== 0 && code !== 1) throw new CliError("failure", stderr.trim() || "The check did not run.");
  if (json)
    terminal.out(`${JSON.stringify({ packs: packs.map((path) => describePack(path, stdout)) }, undefined, 2)}\n`);
  else terminal.out(packs.reduce((text, path) => text.replaceAll(`${resolve(path)}:`, `${path}:`), stdout));
  if (code === 1) process.exitCode = exitCodes.notVerified.code;
}

/** What the check said of one pack: `FILE: ok`, or `FILE:LINE: reason` for each problem. */
function describePack(path: string, output: string) {
  const problems = output.split("\n").flatMap((line) => {
    const [, number, reason] =
      /^(\d+): (.*)$/.exec(line.startsWith(`${resolve(path)}:`) ? line.slice(resolve(path).length + 1) : "") ?? [];
    return number === undefined || reason === undefined ? [] : [{ line: Number(number), reason }];
  });
  return { file: path, ok: problems.length === 0, problems };
}
