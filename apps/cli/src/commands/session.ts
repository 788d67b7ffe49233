import { text as readAll } from "node:stream/consumers";
import { isTerminal, type SessionStatus, type SessionView } from "@soma/client/shapes";
import { Option, type Command } from "commander";
import { openContext } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { describeDiagnosis } from "../output/diagnosis-text.ts";
import { describeSession, tabulateSessions } from "../output/session-text.ts";
import { withApprovals } from "./approval.ts";
import { readBudget, withBudget, type BudgetFlags } from "./budget-options.ts";
import { conclude, followSession, openText } from "./follow-session.ts";
import { followTurn } from "./follow-turn.ts";
import { collect, seconds, wholeNumber } from "./option-values.ts";
import { withSteering } from "./steer-session.ts";

interface StartFlags extends BudgetFlags {
  readonly stdin?: boolean;
  readonly model?: string;
  readonly label?: readonly string[];
  readonly id?: string;
  readonly idempotencyKey?: string;
  readonly user?: string;
  readonly watch?: boolean;
  readonly interactive?: boolean;
  readonly idle?: number;
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
  const session = program.command("session").description("start, see, steer and end sessions");
  withBudget(
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
      .option("--interactive", "stay open after the answer, for soma session say and soma chat")
      .option(
        "--idle <time>",
        "with --interactive: complete after so long without a message, e.g. 1h; a day unless given",
        seconds,
      )
      .option(
        "--watch",
        "follow it to its end, or an interactive one to its first answer: progress on standard error, the answer on standard output",
      ),
  ).action(start);
  session
    .command("get")
    .description("status and result of a session")
    .argument("<id>", "session id or workflow id")
    .action(get);
  session
    .command("diagnose")
    .description("why a session is not moving, and what would move it")
    .argument("<id>", "session id or workflow id")
    .action(diagnose);
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
    .option("--after <sequence>", "begin after this event; all of it unless given", wholeNumber(0))
    .option("--turn", "no further than to the end of the turn under way")
    .action(watch);
  withSteering(session);
  withApprovals(session);
}

async function start(prompt: string | undefined, flags: StartFlags, command: Command): Promise<void> {
  if ((prompt === undefined) === (flags.stdin !== true))
    throw new CliError("usage", "Give the prompt as an argument, or --stdin.");
  if (flags.idle !== undefined && flags.interactive !== true)
    throw new CliError("usage", "--idle is for a session that is started with --interactive.");
  const context = openContext(command);
  const { soma, settings, terminal } = context;
  const budget = readBudget(flags);
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
      ...(flags.interactive === true && { mode: "interactive" }),
      ...(flags.idle !== undefined && { idle_seconds: flags.idle }),
      ...(budget && { budget }),
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
  if (flags.interactive !== true) return followSession(context, id, 0);
  const stop = new AbortController();
  const updates = soma.followTurn(id, 1, { signal: stop.signal });
  await followTurn(context, { id, turn: 1, after: 0, updates, stop, leavesWhenWaiting: true });
}

async function get(id: string, _flags: object, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  answer(await soma.getSession(id), (view) => describeSession(terminal, view));
}

async function diagnose(id: string, _flags: object, command: Command): Promise<void> {
  const { soma, terminal, answer } = openContext(command);
  answer(await soma.diagnoseSession(id), (diagnosis) => describeDiagnosis(terminal, diagnosis));
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

interface WatchFlags {
  readonly after?: number;
  readonly turn?: boolean;
}

async function watch(id: string, { after, turn: isTurn = false }: WatchFlags, command: Command): Promise<void> {
  const context = openContext(command);
  const { soma } = context;
  const view = isTurn ? await soma.getSession(id) : undefined;
  if (view?.turn === undefined || isTerminal(view.status)) return followSession(context, id, after ?? 0);
  const { turn, last_seq: now } = view;
  if (view.status === "waiting_input") return conclude(context, view, openText(context));
  const begin = after ?? now;
  const stop = new AbortController();
  const updates = soma.followTurn(id, turn, { after: begin, signal: stop.signal });
  await followTurn(context, { id, turn, after: begin, updates, stop, leavesWhenWaiting: false });
}
