import { text as readAll } from "node:stream/consumers";
import type { SessionStatus, SessionView } from "@soma/client/shapes";
import { Option, type Command } from "commander";
import { openContext } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { describeSession, tabulateSessions } from "../output/session-text.ts";
import { followSession } from "./follow-session.ts";
import { collect, wholeNumber } from "./option-values.ts";

interface StartFlags {
  readonly stdin?: boolean;
  readonly model?: string;
  readonly label?: readonly string[];
  readonly id?: string;
  readonly idempotencyKey?: string;
  readonly user?: string;
  readonly watch?: boolean;
}

interface ListFlags {
  readonly status?: SessionStatus;
  readonly user?: string;
  readonly label?: string;
  readonly capsule?: string;
  readonly since?: string;
  readonly limit: number;
}

const statuses: readonly SessionStatus[] = [
  "starting",
  "running",
  "waiting_input",
  "waiting_approval",
  "waiting_budget",
  "paused",
  "completed",
  "denied",
  "failed",
  "canceled",
  "timed_out",
];

/** `soma session …` */
export function addSession(program: Command): void {
  const session = program.command("session").description("start, see and end sessions");
  session
    .command("start")
    .description("start a session; prints its id")
    .argument("[prompt]", "what is asked for")
    .option("--stdin", "read the prompt from standard input")
    .option("--model <name>", "model to use; the service's default unless given")
    .option("--label <label>", "label to find it by; may be given again", collect)
    .option("--id <id>", "id of the session; made up unless given")
    .option("--idempotency-key <key>", "same key and prompt within 24 h: the same session")
    .option("--user <user>", "who asks, where the login does not say it")
    .option("--watch", "follow it to its end: progress on standard error, the answer on standard output")
    .action(start);
  session
    .command("get")
    .description("status and result of a session")
    .argument("<id>", "session id or workflow id")
    .action(get);
  session
    .command("list")
    .description("sessions of the tenant, newest first")
    .addOption(new Option("--status <status>", "only those in this status").choices(statuses))
    .option("--user <user>", "only this user's")
    .option("--label <label>", "only those with this label")
    .option("--capsule <capsule>", "only those of this capsule")
    .option("--since <time>", "only those created at or after this time (RFC 3339)")
    .option("--limit <number>", "how many at most", wholeNumber(1), 20)
    .action(list);
  session
    .command("watch")
    .description("follow a session to its end: progress on standard error, the answer on standard output")
    .argument("<id>", "session id or workflow id")
    .option("--after <sequence>", "begin after this event", wholeNumber(0), 0)
    .action(watch);
  session
    .command("cancel")
    .description("end a session together with what it runs")
    .argument("<id>", "session id or workflow id")
    .action(cancel);
}

async function start(prompt: string | undefined, flags: StartFlags, command: Command): Promise<void> {
  if ((prompt === undefined) === (flags.stdin !== true))
    throw new CliError("usage", "Give the prompt as an argument, or --stdin.");
  const { soma, settings, terminal } = openContext(command);
  const metadata = {
    ...(flags.id !== undefined && { session_id: flags.id }),
    ...(flags.label && { labels: flags.label }),
  };
  const accepted = await soma.startSession(
    {
      prompt: prompt ?? (await readAll(process.stdin)),
      ...(flags.model !== undefined && { model: flags.model }),
      ...(settings.tenant !== undefined && { tenant: settings.tenant }),
      ...(flags.user !== undefined && { user: flags.user }),
      ...(Object.keys(metadata).length > 0 && { metadata }),
    },
    flags.idempotencyKey === undefined ? {} : { idempotencyKey: flags.idempotencyKey },
  );
  const { session_id: id } = accepted;
  if (flags.watch !== true) {
    terminal.out(settings.json ? `${JSON.stringify(accepted, undefined, 2)}\n` : `${id}\n`);
    if (!settings.json && terminal.isInteractive) terminal.say(`follow it: soma session watch ${id}\n`);
    return;
  }
  if (settings.json) terminal.out(`${JSON.stringify({ kind: "started", started: accepted })}\n`);
  else terminal.say(`session ${id}\n`);
  await followSession(openContext(command), id, 0);
}

async function get(id: string, _flags: object, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  answer(await soma.getSession(id), (view) => describeSession(terminal, view));
}

async function list({ limit, ...filters }: ListFlags, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  const sessions: SessionView[] = [];
  for await (const session of soma.listSessions(filters, { pageSize: Math.min(limit, 100) })) {
    sessions.push(session);
    if (sessions.length === limit) break;
  }
  answer({ sessions }, () => tabulateSessions(terminal, sessions));
}

async function watch(id: string, { after }: { readonly after: number }, command: Command): Promise<void> {
  await followSession(openContext(command), id, after);
}

async function cancel(id: string, _flags: object, command: Command): Promise<void> {
  const { soma, answer } = openContext(command);
  answer(await soma.cancelSession(id), ({ session_id, status }) => `${session_id} ${status}\n`);
}
