import { isTerminal, type AuditEvent, type SessionView } from "@soma/client/shapes";
import { SomaError } from "@soma/client/soma-error";
import type { SessionUpdate } from "@soma/client/watch-session";
import type { Command } from "commander";
import { actionTimeoutMs, openContext, type Context } from "../context.ts";
import { describeError } from "../describe-error.ts";
import { CliError } from "../exit-codes.ts";
import { LineReader } from "../line-reader.ts";
import { describeWaiting } from "../output/approval-text.ts";
import { describeEvent } from "../output/event-text.ts";
import { describeSession } from "../output/session-text.ts";
import { harmless } from "../output/terminal.ts";
import { readBudget, withBudget, type BudgetFlags } from "./budget-options.ts";
import { conclude, openText } from "./follow-session.ts";
import { asksSomebody, concludeTurn, isEndOf } from "./follow-turn.ts";
import { seconds } from "./option-values.ts";

interface ChatFlags extends BudgetFlags {
  readonly model?: string;
  readonly user?: string;
  readonly idle?: number;
}

/** What is worth a line while one waits for an answer. */
const noteworthy: ReadonlySet<AuditEvent["type"]> = new Set([
  "approval.granted",
  "approval.denied",
  "approval.expired",
  "budget.extended",
  "dependency.unavailable",
  "dependency.recovered",
  "effect.failed",
  "session.paused",
  "session.resumed",
]);

/** `soma chat` */
export function addChat(program: Command): void {
  withBudget(
    program
      .command("chat")
      .description(
        "a conversation at the terminal; Ctrl-C lets go of an answer, which the next words then interrupt, Ctrl-D leaves",
      )
      .argument("[id]", "goes on with this interactive session; begins one unless given")
      .option("--model <name>", "of a new session: model to use; the service's default unless given")
      .option("--user <user>", "of a new session: who speaks, where the login does not say it")
      .option("--idle <time>", "of a new session: complete after so long without a message, e.g. 1h", seconds),
  ).action(chat);
}

async function chat(id: string | undefined, flags: ChatFlags, command: Command): Promise<void> {
  const context = openContext(command, actionTimeoutMs);
  if (!context.terminal.canAsk || context.settings.json)
    throw new CliError("usage", "A chat is for a person at a terminal.", "for programs: soma session say --json");
  using lines = new LineReader();
  await new Chat(context, lines, flags).run(id);
}

/** A turn that is looked at. */
interface Turn {
  readonly id: string;
  readonly turn: number;
  readonly updates: AsyncIterable<SessionUpdate>;
  readonly stop: AbortController;
}

class Chat {
  readonly #context: Context;
  readonly #lines: LineReader;
  readonly #flags: ChatFlags;
  #id: string | undefined;
  /** Somebody let go of an answer that may still be made. */
  #interrupts = false;

  constructor(context: Context, lines: LineReader, flags: ChatFlags) {
    this.#context = context;
    this.#lines = lines;
    this.#flags = flags;
  }

  async run(id: string | undefined): Promise<void> {
    this.#id = id;
    if (id !== undefined && (await this.#joins(id))) return;
    for (;;) {
      const line = await this.#lines.next("> ");
      if (line === undefined) return this.#leave();
      if (line.trim() !== "" && (await this.#hasEnded(line))) return;
    }
  }

  /** Shows where the conversation is, and the turn under way. True when it has ended. */
  async #joins(id: string): Promise<boolean> {
    const { soma, terminal } = this.#context;
    const view = await soma.getSession(id);
    if (view.mode !== "interactive")
      throw new CliError("usage", "That session ends with its answer: nothing can be said in it.");
    terminal.say(describeSession(terminal, view));
    const { turn = 1, last_seq: after, status } = view;
    if (isTerminal(status)) return true;
    if (status === "waiting_input") return false;
    terminal.say(describeWaiting(terminal, view));
    const stop = new AbortController();
    return this.#follows({ id, turn, updates: soma.followTurn(id, turn, { after, signal: stop.signal }), stop });
  }

  /** Says it, and shows what comes of it. True when the session has ended. */
  async #hasEnded(line: string): Promise<boolean> {
    const { terminal } = this.#context;
    try {
      return await this.#follows(await this.#say(line));
    } catch (error) {
      // A refusal is part of a conversation; a login that has ended, or nobody there, is not.
      if (!(error instanceof SomaError) || error.status === 0 || error.status === 401 || this.#id === undefined)
        throw error;
      terminal.say(describeError(error).text);
      return this.#isOver(this.#id);
    }
  }

  async #say(text: string): Promise<Turn> {
    const { soma, settings, terminal } = this.#context;
    const stop = new AbortController();
    const { signal } = stop;
    if (this.#id !== undefined) {
      const id = this.#id;
      const busy = this.#interrupts ? "interrupt" : "enqueue";
      const { turn, updates } = await soma.say(id, { text, busy }, { signal });
      return { id, turn, updates, stop };
    }
    const { model, user, idle } = this.#flags;
    const budget = readBudget(this.#flags);
    const { session_id: id } = await soma.startSession({
      prompt: text,
      mode: "interactive",
      ...(model !== undefined && { model }),
      ...(user !== undefined && { user }),
      ...(idle !== undefined && { idle_seconds: idle }),
      ...(budget && { budget }),
      ...(settings.tenant !== undefined && { tenant: settings.tenant }),
    });
    this.#id = id;
    terminal.say(terminal.style("dim", `session ${id}\n`, "say"));
    return { id, turn: 1, updates: soma.followTurn(id, 1, { signal }), stop };
  }

  /** True when the session ended with it. */
  async #follows({ id, turn, updates, stop }: Turn): Promise<boolean> {
    const { soma, terminal } = this.#context;
    this.#lines.onInterrupt(() => {
      stop.abort();
    });
    const text = openText(this.#context);
    let ended: AuditEvent | undefined;
    try {
      for await (const update of updates) {
        if (update.kind === "delta") text.add(update.delta);
        if (update.kind !== "event") continue;
        await this.#tell(id, update.event);
        if (isEndOf(update.event, turn)) ended = update.event;
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      this.#interrupts = true;
      terminal.say("\nYour next words interrupt this answer.\n");
      return false;
    }
    this.#interrupts = false;
    const view = await soma.getSession(id);
    if (ended) concludeTurn(this.#context, view, ended, text);
    else conclude(this.#context, view, text);
    // How a turn ended is said; the chat itself ended well.
    if (!isTerminal(view.status)) process.exitCode = 0;
    return isTerminal(view.status);
  }

  async #tell(id: string, event: AuditEvent): Promise<void> {
    const { soma, terminal } = this.#context;
    if (noteworthy.has(event.type)) terminal.say(`${terminal.style("dim", harmless(describeEvent(event)), "say")}\n`);
    if (asksSomebody(event)) terminal.say(describeWaiting(terminal, await soma.getSession(id)));
  }

  async #isOver(id: string): Promise<boolean> {
    const view: SessionView = await this.#context.soma.getSession(id);
    if (!isTerminal(view.status)) return false;
    this.#context.terminal.say(`The session has ended: ${view.status}.\n`);
    return true;
  }

  #leave(): void {
    const { terminal } = this.#context;
    if (this.#id === undefined) return terminal.say("\n");
    terminal.say(
      `\nThe session stays open.\n  go on:  soma chat ${this.#id}\n  end it: soma session cancel ${this.#id}\n`,
    );
  }
}
