import { text as readAll } from "node:stream/consumers";
import type { Budget } from "@soma/client/shapes";
import { Option, type Command } from "commander";
import { actionTimeoutMs, openContext, type Context } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { describeBudget } from "../output/budget-text.ts";
import { followTurn } from "./follow-turn.ts";
import { money, seconds, wholeNumber } from "./option-values.ts";

const busyStrategies = ["reject", "enqueue", "interrupt", "rollback"] as const;

interface SayFlags {
  readonly stdin?: boolean;
  readonly busy: (typeof busyStrategies)[number];
  readonly final?: boolean;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
}

interface ExtensionFlags {
  readonly tokens?: number;
  readonly cost?: number;
  readonly steps?: number;
  readonly time?: number;
}

/** Actions that take an id and a reason: the client's function, and what the help says. */
const plainActions = {
  pause: { call: "pauseSession", description: "let no further step begin; what is under way ends" },
  resume: { call: "resumeSession", description: "let a paused session go on" },
  retry: { call: "retryTurn", description: "try the failed step of a conversation again, alone" },
  cancel: { call: "cancelSession", description: "end a session together with what it runs" },
  terminate: { call: "terminateSession", description: "end a session at once, without waiting for what runs" },
} as const satisfies Readonly<Record<string, { call: keyof Context["soma"]; description: string }>>;

const idArgument = ["<id>", "session id or workflow id"] as const;

/** `soma session say|pause|resume|retry|extend-budget|cancel|terminate` */
export function withSteering(session: Command): void {
  session
    .command("say")
    .description("say something in an interactive session; prints the answer as it is made")
    .argument(...idArgument)
    .argument("[text]", "what is said")
    .option("--stdin", "read it from standard input")
    .addOption(
      new Option(
        "--busy <strategy>",
        "while another message is answered: refuse, wait, end that answer, or end it and take its message back",
      )
        .choices(busyStrategies)
        .default("reject"),
    )
    .option("--final", "the session completes after the answer")
    .option("--idempotency-key <key>", "same key and text in the session: the same message, said once")
    .option("--wait", "look on while an approval or more budget is waited for, instead of leaving with exit code 8")
    .action(say);
  for (const [name, { call, description }] of Object.entries(plainActions))
    session
      .command(name)
      .description(description)
      .argument(...idArgument)
      .option("--reason <text>", "for people; kept with the session's texts")
      .action((id: string, { reason }: { readonly reason?: string }, command: Command) =>
        act(call, id, reason, command),
      );
  session
    .command("extend-budget")
    .description("raise the bounds of a session's budget, each by what is named")
    .argument(...idArgument)
    .option("--tokens <number>", "so many model tokens more", wholeNumber(1))
    .option("--cost <amount>", "so much money more, e.g. 0.25", money)
    .option("--steps <number>", "so many effects more", wholeNumber(1))
    .option("--time <time>", "so much longer, e.g. 30m", seconds)
    .action(extend);
}

async function say(id: string, text: string | undefined, flags: SayFlags, command: Command): Promise<void> {
  if ((text === undefined) === (flags.stdin !== true))
    throw new CliError("usage", "Give the text as an argument, or --stdin.");
  const context = openContext(command, actionTimeoutMs);
  const { soma, settings, terminal } = context;
  const stop = new AbortController();
  const { idempotencyKey } = flags;
  const { actionId, turn, updates } = await soma.say(
    id,
    { text: text ?? (await readAll(process.stdin)), busy: flags.busy, final: flags.final === true },
    { signal: stop.signal, ...(idempotencyKey !== undefined && { idempotencyKey }) },
  );
  if (settings.json) terminal.out(`${JSON.stringify({ kind: "said", said: { action_id: actionId, turn } })}\n`);
  await followTurn(context, { id, turn, after: 0, updates, stop, leavesWhenWaiting: flags.wait !== true });
}

async function act(
  call: (typeof plainActions)[keyof typeof plainActions]["call"],
  id: string,
  reason: string | undefined,
  command: Command,
): Promise<void> {
  const { soma, answer } = openContext(command, actionTimeoutMs);
  answer(
    await soma[call](id, reason === undefined ? {} : { reason }),
    ({ session_id, status }) => `${session_id} ${status}\n`,
  );
}

async function extend(id: string, { tokens, cost, steps, time }: ExtensionFlags, command: Command): Promise<void> {
  const more: Budget = {
    ...(tokens !== undefined && { tokens }),
    ...(cost !== undefined && { cost_micros: cost }),
    ...(steps !== undefined && { steps }),
    ...(time !== undefined && { wall_seconds: time }),
  };
  if (Object.keys(more).length === 0)
    throw new CliError("usage", "Say by how much: --tokens, --cost, --steps or --time.");
  const { soma, answer } = openContext(command, actionTimeoutMs);
  answer(await soma.extendBudget(id, more), ({ session_id, status, budget, created_at: created }) => {
    const now = budget ? `: ${describeBudget(budget, created)}` : "";
    return `${session_id} ${status}${now}\n`;
  });
}
