import { Context } from "@temporalio/activity";
import { eventData } from "@soma/contracts/audit";
import { isDigest } from "@soma/contracts/ids";
import type { GovernedAction } from "@soma/contracts/permit";
import type { ChatPrompt, SessionResult } from "@soma/contracts/session";
import { DomainError } from "@soma/kit/domain-error";
import { Value } from "typebox/value";
import { newContent } from "../ledger/content.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { readChatPrompt } from "../sessions/session-prompt.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { performEffect } from "./perform-effect.ts";
import type { SessionActivities } from "./session-activities.ts";

/**
 * Often enough that a dead worker is noticed and a cancellation arrives within seconds; not more often, because each
 * heartbeat is a database transaction of Temporal.
 */
const heartbeatMs = 3_000;

/**
 * One completion by the model: remote, because it is long and another worker must be able to take it over. Streams
 * deltas to the readers of this process; a cancellation, or a token that was revoked, closes the connection, which ends
 * the generation.
 */
export function createRunSlmCompletion(deps: ActivityDeps): SessionActivities["run-slm-completion"] {
  return async (permit, action, sealed) => {
    const context = Context.current();
    const heartbeat = setInterval(() => {
      context.heartbeat();
    }, heartbeatMs);
    try {
      return await performEffect(deps, permit, action, sealed, {
        recall: (row, data) => recallResult(deps, row, data),
        async perform({ permit: checked, row, token, signal }) {
          let offset = 0;
          const completion = await deps.model.complete({
            ...(await readAsked(deps, row, action)),
            ...modelOf(action),
            ...(checked.max_output_tokens !== undefined && { maxOutputTokens: checked.max_output_tokens }),
            token,
            effectKey: checked.effect_key,
            signal: AbortSignal.any([context.cancellationSignal, signal]),
            onText(text) {
              deps.deltas.publish(row.session_id, { step: checked.step, offset, text });
              offset += text.length;
            },
          });
          if (!completion.replayed) {
            deps.metrics.modelTokens.inc({ kind: "prompt" }, completion.usage.prompt_tokens);
            deps.metrics.modelTokens.inc({ kind: "completion" }, completion.usage.completion_tokens);
          }
          const content = newContent(row, "text/plain; charset=utf-8", completion.text);
          const { text, model, finishReason: finish_reason, usage } = completion;
          const facts = { model, finish_reason, usage };
          return {
            result: { text, text_digest: content.digest, ...facts },
            data: {
              step: checked.step,
              effect_key: checked.effect_key,
              result_digest: content.digest,
              ...facts,
              ...(completion.replayed && { replayed: true }),
            },
            contents: [content],
          };
        },
      });
    } finally {
      clearInterval(heartbeat);
    }
  };
}

/** What the action names, which the permit is bound to: digest and format of the prompt. */
async function readAsked(deps: ActivityDeps, row: SessionRow, action: GovernedAction): Promise<ChatPrompt> {
  const digest = action.arguments["prompt_digest"];
  if (typeof digest !== "string" || !isDigest(digest))
    throw new DomainError("PERMIT_INVALID", "The action names no prompt.");
  const text = await readText(deps, row, digest);
  if (action.arguments["prompt_format"] === "chat") return readChatPrompt(text);
  return { messages: [{ role: "user", content: text }] };
}

async function recallResult(deps: ActivityDeps, row: SessionRow, data: unknown): Promise<SessionResult> {
  const { result_digest, model, finish_reason, usage } = Value.Parse(eventData["effect.completed"], data);
  return { text: await readText(deps, row, result_digest), text_digest: result_digest, model, finish_reason, usage };
}

async function readText(deps: ActivityDeps, row: SessionRow, digest: SessionResult["text_digest"]): Promise<string> {
  const bytes = await deps.ledger.readContent({ tenant: row.tenant, user: row.user, digest });
  if (!bytes) throw new DomainError("INTERNAL", "A text that the ledger names is not in the content store.");
  return Buffer.from(bytes).toString("utf8");
}

/** `model:default` leaves the choice to the model service. */
function modelOf(action: GovernedAction): { model?: string } {
  const model = action.resource.slice("model:".length);
  return model === "default" ? {} : { model };
}
