import type { Command } from "commander";
import { exitCodes, type ExitName } from "../exit-codes.ts";
import { examine, type Finding } from "../doctor/examine.ts";
import { openTerminal, type Terminal } from "../output/terminal.ts";
import type { GlobalOptions } from "../settings.ts";

/** `soma doctor` */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("what is reachable, what is wrong, what to do next; the exit code is that of the first thing wrong")
    .action(doctor);
}

async function doctor(_flags: object, command: Command): Promise<void> {
  const options: GlobalOptions = command.optsWithGlobals();
  const terminal = openTerminal();
  const findings = await examine(options);
  const exit: ExitName = findings.find(({ status }) => status === "wrong")?.exit ?? "ok";
  if (options.json === true)
    terminal.out(`${JSON.stringify({ ok: exit === "ok", findings: findings.map(plain) }, undefined, 2)}\n`);
  else terminal.out(findings.map((finding) => describeFinding(terminal, finding)).join(""));
  process.exitCode = exitCodes[exit].code;
}

function plain({ check, status, detail, next }: Finding) {
  return { check, status, detail, next };
}

const marks = { ok: ["green", "ok   "], note: ["yellow", "note "], wrong: ["red", "WRONG"] } as const;

function describeFinding(terminal: Terminal, { check, status, detail, next }: Finding): string {
  const [colour, mark] = marks[status];
  const line = `${terminal.style(colour, mark)}  ${check.padEnd(12)} ${detail}\n`;
  return next === undefined ? line : `${line}                    next: ${next}\n`;
}
