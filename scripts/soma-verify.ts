/**
 * Checks the exported ledger of one session, or of one tenant, with nothing but Node: no package, and no code of the
 * system that wrote it.
 *
 *   node scripts/soma-verify.ts [--json] [--head sha256:<hex>] FILE      (- reads standard input)
 *
 * FILE holds CloudEvents as NDJSON (one event a line, read as it comes), as a JSON array, or as {"events": […],
 * "contents": {…}}, where contents maps "sha256:<hex>" to the text that it stands for. Exit code: 0 everything holds, 1 a
 * violation was found, 2 the file cannot be read. A tail that was cut off leaves a whole chain: give the last hash that
 * you know as --head. The rules, and a second program that follows them: docs/reference/ledger-format.md.
 */
import { checks } from "./verify/format.ts";
import { readExport, readLines } from "./verify/read-export.ts";
import { Session } from "./verify/session.ts";

/** Verifies the text of a file. Throws when it holds no events at all. */
export function verify(input: string, head?: string) {
  return verifyLines(input.split("\n"), head);
}

function verifyLines(lines: Iterable<string>, head?: string) {
  const { events, contents, more, gap } = readExport(lines);
  const session = new Session(gap);
  for (const event of events) session.add(event);
  if (session.last === undefined) throw new Error("the file holds no events");
  return session.conclude(contents, head, more);
}

function describeResult(result: ReturnType<typeof verify>): string {
  const { tenant, session, counts, last, ended, violations, notes } = result;
  const lines = [`session ${session} of tenant ${tenant}`];
  lines.push(
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", "),
  );
  lines.push(`last: ${last.sequence} ${last.hash}${ended === null ? "" : ` (${ended})`}`, "");
  for (const [check, meaning] of Object.entries(checks)) {
    const found = violations.filter((violation) => violation.check === check);
    lines.push(`${found.length === 0 ? "ok       " : "VIOLATED "} ${check.padEnd(8)} ${meaning}`);
    for (const { seq, what } of found) lines.push(`            at ${seq}: ${what}`);
  }
  for (const note of notes) lines.push(`note: ${note}`);
  lines.push("", violations.length === 0 ? "Everything holds." : `${violations.length} violations.`, "");
  // What the file says goes to a terminal: nothing in it may speak to the terminal.
  return lines.join("\n").replaceAll(/[^ -~\n]/g, "?");
}

/** Runs the command; returns its exit code. */
function main(args: readonly string[]): number {
  const json = args.includes("--json");
  const headAt = args.indexOf("--head");
  const head = headAt === -1 ? undefined : args[headAt + 1];
  const files = args.filter(
    (arg, index) => arg !== "--json" && (headAt === -1 || (index !== headAt && index !== headAt + 1)),
  );
  const [file] = files;
  try {
    if (file === undefined || files.length > 1) throw new Error("usage: soma-verify [--json] [--head HASH] FILE|-");
    const result = verifyLines(readLines(file === "-" ? 0 : file), head);
    process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : describeResult(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`soma-verify: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
