import { Context } from "@temporalio/activity";
import { eventData } from "@soma/contracts/audit";
import { isDigest, type Digest } from "@soma/contracts/ids";
import type { GovernedAction, Permit } from "@soma/contracts/permit";
import type { ChatMessage, ChatPrompt } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import { Value } from "typebox/value";
import { assertWithinReserve } from "../budgets/step-meter.ts";
import { newContent } from "../ledger/content.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { framePassages, withNotes } from "../sessions/recalled-passages.ts";
import { readChatPrompt } from "../sessions/session-prompt.ts";
import { bytesOf, newTranscriptNode, readTranscript } from "../sessions/transcript.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { readMessages, readText } from "./asked-messages.ts";
import { beginHeartbeats } from "./heartbeats.ts";
import { performEffect } from "./perform-effect.ts";
import type { CompletionResult, SessionActivities } from "./session-activities.ts";
import type { StepText } from "../streams/step-text.ts";

/**
 * One completion by the model: remote, because it is long and another worker must be able to take it over. Streams
 * deltas to the session's readers; a cancellation, or a token that was revoked, closes the connection, which ends
 * the generation.
 */
export function createRunSlmCompletion(deps: ActivityDeps): SessionActivities["run-slm-completion"] {
  return async (permit, action, sealed) => {
    const context = Context.current();
    const heartbeat = beginHeartbeats(context);
    let telling: StepText | undefined;
    let done = false;
    try {
      const result = await performEffect(deps, permit, action, sealed, {
        outcome: "effect.completed",
        target: "slm",
        recall: (row, data) => recallResult(deps, row, data),
        async perform({ permit: checked, row, token, signal }) {
          const { base, asked, ...prompt } = await readAsked(deps, row, action);
          assertWithinReserve(checked, prompt);
          const text = deps.deltas.begin(row, checked.step, attemptOf(checked, context.info));
          telling = text;
          const completion = await deps.model.complete({
            ...prompt,
            ...modelOf(action),
            ...(checked.max_output_tokens !== undefined && { maxOutputTokens: checked.max_output_tokens }),
            token,
            effectKey: checked.effect_key,
            signal: AbortSignal.any([context.cancellationSignal, signal]),
            onBegin: (answer) => text.begin(answer),
            onText: (piece) => text.write(piece),
          });
          text.finish();
          if (!completion.replayed) {
            deps.metrics.modelTokens.inc({ kind: "prompt" }, completion.usage.prompt_tokens);
            deps.metrics.modelTokens.inc({ kind: "completion" }, completion.usage.completion_tokens);
          }
          const content = newContent(row, "text/plain; charset=utf-8", completion.text);
          const { model, finishReason: finish_reason, usage } = completion;
          const answer = { role: "assistant", content: completion.text } as const;
          const node = row.mode === "interactive" ? newTranscriptNode(row, base, [...asked, answer]) : undefined;
          const facts = { model, finish_reason, usage, ...(node !== undefined && { base_hash: node.digest }) };
          return {
            result: { text: completion.text, text_digest: content.digest, ...facts },
            type: "effect.completed",
            data: {
              step: checked.step,
              effect_key: checked.effect_key,
              result_digest: content.digest,
              ...facts,
              ...(completion.replayed && { replayed: true }),
              ...(text.attempt > 1 && { attempt: text.attempt }),
            },
            contents: [content, ...(node === undefined ? [] : [node])],
          };
        },
      });
      done = true;
      return result;
    } finally {
      telling?.close({ done });
      clearInterval(heartbeat);
    }
  };
}

/** No step is tried so often on one decision. */
const attemptsPerRound = 1_000_000;

/** Which attempt at its step this is: above all earlier ones, those on a decision that ran out included. */
function attemptOf({ round }: Permit, { attempt }: { readonly attempt: number }): number {
  return (round - 1) * attemptsPerRound + attempt;
}

/** All that the model is given, by what the action names and the permit is bound to: conversation, memory, what is asked now. */
export async function readAsked(
  deps: ActivityDeps,
  row: SessionRow,
  action: GovernedAction,
): Promise<ChatPrompt & Asked> {
  const given = await readConversation(deps, row, action);
  return { ...given, messages: await withMemory(deps, row, action, given.messages) };
}

/** The conversation and what is asked now, by the digests that the action names. */
async function readConversation(
  deps: ActivityDeps,
  row: SessionRow,
  action: GovernedAction,
): Promise<ChatPrompt & Asked> {
  const digest = digestArgument(action, "prompt_digest");
  if (digest === undefined) throw new DomainError("PERMIT_INVALID", "The action names no prompt.");
  const base = digestArgument(action, "base_hash");
  const chat = action.arguments["prompt_format"] === "chat" ? ("chat" as const) : undefined;
  const asked = await readMessages(deps, row, digest, chat);
  if (base === undefined && chat === undefined) return { messages: asked, base, asked };
  if (base === undefined) return { ...readChatPrompt(await readText(deps, row, digest)), base, asked };
  const root = row.prompt_format === "chat" ? readChatPrompt(await readText(deps, row, row.prompt_digest)) : undefined;
  const instructions = root?.messages.filter(({ role }) => role === "system" || role === "developer") ?? [];
  const room = deps.conversationBytes - bytesOf([...instructions, ...asked]);
  const before = await readTranscript(deps.ledger, row, base, room);
  return {
    // Instructions go before everything, however much of the conversation is left out; where all is there, once.
    messages: [...instructions, ...before.filter(({ role }) => role === "user" || role === "assistant"), ...asked],
    ...(root?.sampling !== undefined && { sampling: root.sampling }),
    base,
    asked,
  };
}

/** The same messages with the notes that the action names, which are not part of the conversation. */
async function withMemory(
  deps: ActivityDeps,
  row: SessionRow,
  action: GovernedAction,
  messages: readonly ChatMessage[],
): Promise<ChatMessage[]> {
  const digest = digestArgument(action, "memory_digest");
  if (digest === undefined) return [...messages];
  return withNotes(messages, framePassages(await readText(deps, row, digest), digest));
}

interface Asked {
  readonly base: Digest | undefined;
  /** What is new in this turn. */
  readonly asked: readonly ChatMessage[];
}

function digestArgument(action: GovernedAction, name: string): Digest | undefined {
  const value = action.arguments[name];
  return typeof value === "string" && isDigest(value) ? value : undefined;
}

async function recallResult(deps: ActivityDeps, row: SessionRow, data: unknown): Promise<CompletionResult> {
  const { result_digest, model, finish_reason, usage, base_hash } = Value.Parse(eventData["effect.completed"], data);
  return {
    text: await readText(deps, row, result_digest),
    text_digest: result_digest,
    model,
    finish_reason,
    usage,
    ...(base_hash !== undefined && { base_hash }),
  };
}

/** `model:default` leaves the choice to the model service. */
function modelOf(action: GovernedAction): { model?: string } {
  const model = action.resource.slice("model:".length);
  return model === "default" ? {} : { model };
}
