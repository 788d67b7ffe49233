import { createWriteStream } from "node:fs";
import type { LedgerItem } from "@soma/client/sessions";
import type { AuditEvent, EventGap } from "@soma/client/shapes";
import type { Command } from "commander";
import { openContext } from "../context.ts";
import { CliError, exitCodes } from "../exit-codes.ts";
import { describeEvent } from "../output/event-text.ts";
import { formatTable } from "../output/table.ts";
import { runTool, toolFile } from "../run-tool.ts";
import { wholeNumber } from "./option-values.ts";

/** `soma audit …` */
export function addAudit(program: Command): void {
  const audit = program
    .command("audit")
    .description("ledgers of sessions: what was decided and done, and whether it holds");
  audit
    .command("show")
    .description("the events of a session")
    .argument("<id>", "session id or workflow id")
    .option("--after <sequence>", "only those after this one", wholeNumber(0), 0)
    .action(show);
  audit
    .command("export")
    .description("the events of a session as CloudEvents, one a line")
    .argument("<id>", "session id or workflow id")
    .option("--out <file>", "write them into a new file, for this user's eyes only, instead of standard output")
    .action(exportEvents);
  audit
    .command("verify")
    .description("check the ledger of a session, or an exported one, with the offline verifier")
    .argument("[id]", "session id or workflow id")
    .option("--file <file>", "check this export and ask no service")
    .option("--head <hash>", "last hash that you know, sha256:…: finds a tail that was cut off")
    .action(verify);
}

async function show(id: string, { after }: { readonly after: number }, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  const events: AuditEvent[] = [];
  let gap: EventGap | undefined;
  for await (const item of soma.readLedger(id, { after })) {
    if (item.kind === "gap") ({ gap } = item);
    else events.push(item.event);
  }
  if (gap) terminal.say(`Retention has cut events ${String(gap.from)} to ${String(gap.to)}.\n`);
  answer({ ...(gap && { gap }), events }, () =>
    formatTable(
      terminal,
      ["#", "TIME", "WHO", "EVENT"],
      events.map((event) => [String(event.sequence), event.time, event.user, describeEvent(event)]),
    ),
  );
}

async function exportEvents(id: string, { out }: { readonly out?: string }, command: Command): Promise<void> {
  const { soma, terminal, settings } = openContext(command);
  const file = out === undefined ? undefined : createWriteStream(out, { flags: "wx", mode: 0o600 });
  let count = 0;
  const failed = file && new Promise<never>((_resolve, reject) => file.once("error", reject));
  failed?.catch(() => undefined);
  for await (const item of soma.readLedger(id)) {
    if (item.kind === "event") count += 1;
    const line = lineOf(item);
    if (file) file.write(line);
    else terminal.out(line);
  }
  if (!file || !failed || out === undefined) return;
  await Promise.race([new Promise<void>((resolve) => file.end(resolve)), failed]);
  if (settings.json) terminal.out(`${JSON.stringify({ file: out, events: count })}\n`);
  else terminal.say(`${String(count)} events written to ${out}\n`);
}

interface VerifyFlags {
  readonly file?: string;
  readonly head?: string;
}

async function verify(id: string | undefined, { file, head }: VerifyFlags, command: Command): Promise<void> {
  if ((id === undefined) === (file === undefined)) throw new CliError("usage", "Give a session's id, or --file.");
  if (head !== undefined && !/^sha256:[0-9a-f]{64}$/.test(head))
    throw new CliError("usage", "--head takes sha256: and 64 hex digits.");
  const { soma, settings, terminal } = openContext(command);
  const args = [...(settings.json ? ["--json"] : []), ...(head === undefined ? [] : ["--head", head]), file ?? "-"];
  const input = id === undefined ? undefined : lines(soma.readLedger(id));
  const { code, stdout, stderr } = await runTool(toolFile("scripts/soma-verify.ts"), args, input);
  terminal.out(stdout);
  if (code === 0) return;
  if (code !== 1) throw new CliError("failure", stderr.trim());
  process.exitCode = exitCodes.notVerified.code;
}

async function* lines(items: AsyncIterable<LedgerItem>): AsyncGenerator<string> {
  for await (const item of items) yield lineOf(item);
}

/** An export says first what was cut of it. */
function lineOf(item: LedgerItem): string {
  return `${JSON.stringify(item.kind === "gap" ? { gap: item.gap } : item.event)}\n`;
}
