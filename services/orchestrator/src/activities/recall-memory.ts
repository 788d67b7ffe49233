import { Context } from "@temporalio/activity";
import { eventData } from "@soma/contracts/audit";
import { isDigest } from "@soma/contracts/ids";
import { memoryLimits } from "@soma/contracts/memory";
import type { GovernedAction } from "@soma/contracts/permit";
import { DomainError } from "@soma/kit/domain-error";
import { Value } from "typebox/value";
import { newContent } from "../ledger/content.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import { choosePassages, recalledPassages, recalledText } from "../sessions/recalled-passages.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { readMessages } from "./asked-messages.ts";
import { beginHeartbeats } from "./heartbeats.ts";
import { performEffect } from "./perform-effect.ts";
import type { Recalled, SessionActivities } from "./session-activities.ts";

/** What the user's memory has to a turn's question; the passages are recorded as content and named by digest. */
export function createRecallMemory(deps: ActivityDeps): SessionActivities["recall-memory"] {
  return async (permit, action, sealed) => {
    const context = Context.current();
    const heartbeat = beginHeartbeats(context);
    try {
      return await performEffect(deps, permit, action, sealed, {
        outcome: "memory.recalled",
        target: "memory-gateway",
        recall: (_row, data) => Promise.resolve(recalledOf(data)),
        async perform({ permit: checked, row, token, signal }) {
          const found = await memoryOf(deps).retrieve(
            { query: await questionOf(deps, row, action), topK: recalledPassages },
            { token, signal: AbortSignal.any([context.cancellationSignal, signal]) },
          );
          const passages = choosePassages(found);
          const content = newContent(row, "application/json", recalledText(passages));
          const data = {
            step: checked.step,
            effect_key: checked.effect_key,
            passages: passages.length,
            result_digest: content.digest,
          };
          return { result: recalledOf(data), type: "memory.recalled", data, contents: [content] };
        },
      });
    } finally {
      clearInterval(heartbeat);
    }
  };
}

/** @throws DomainError MEMORY_REJECTED on a worker that was started without a memory gateway */
export function memoryOf({ memory }: ActivityDeps): NonNullable<ActivityDeps["memory"]> {
  if (memory === undefined) throw new DomainError("MEMORY_REJECTED", "This worker has no memory gateway.");
  return memory;
}

/** The turn's question, bound by the permit. @throws DomainError PERMIT_INVALID */
export async function questionOf(deps: ActivityDeps, row: SessionRow, action: GovernedAction): Promise<string> {
  const { prompt_digest: digest, prompt_format: format } = action.arguments;
  if (typeof digest !== "string" || !isDigest(digest))
    throw new DomainError("PERMIT_INVALID", "The action names no prompt.");
  const messages = await readMessages(deps, row, digest, format === "chat" ? "chat" : undefined);
  const question = messages.findLast(({ role }) => role === "user") ?? messages.at(-1);
  // Cut by code units; half of a pair of them is no character.
  return (question?.content ?? "").slice(0, memoryLimits.queryCharacters).toWellFormed();
}

/** Nothing that is near enough leaves nothing to be given to the model. */
function recalledOf(data: unknown): Recalled {
  const { passages, result_digest } = Value.Parse(eventData["memory.recalled"], data);
  return passages === 0 ? {} : { memory_digest: result_digest };
}
