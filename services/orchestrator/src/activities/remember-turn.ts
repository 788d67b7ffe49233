import { Context } from "@temporalio/activity";
import { isDigest } from "@soma/contracts/ids";
import type { GovernedAction } from "@soma/contracts/permit";
import { DomainError } from "@soma/kit/domain-error";
import { newContent } from "../ledger/content.ts";
import type { SessionRow } from "../ledger/session-row.ts";
import type { ActivityDeps } from "./activity-deps.ts";
import { readText } from "./asked-messages.ts";
import { beginHeartbeats } from "./heartbeats.ts";
import { performEffect } from "./perform-effect.ts";
import { memoryOf, questionOf } from "./recall-memory.ts";
import type { SessionActivities } from "./session-activities.ts";

/** How much of an answer is remembered, in UTF-16 code units: the gateway has each part of it made into a vector. */
const answerCharacters = 4_000;

/** Stores a turn's question and answer under a key of the session's and the turn's; again it is the same memory. */
export function createRememberTurn(deps: ActivityDeps): SessionActivities["remember-turn"] {
  return async (permit, action, sealed) => {
    const context = Context.current();
    const heartbeat = beginHeartbeats(context);
    try {
      await performEffect(deps, permit, action, sealed, {
        outcome: "memory.remembered",
        target: "memory-gateway",
        recall: () => Promise.resolve(),
        async perform({ permit: checked, row, token, signal }) {
          const { key, result_digest: digest } = action.arguments;
          if (typeof key !== "string" || typeof digest !== "string" || !isDigest(digest))
            throw new DomainError("PERMIT_INVALID", "The action names nothing to remember.");
          const value = await turnText(deps, row, action, await readText(deps, row, digest));
          await memoryOf(deps).remember(
            { key, value, metadata: { session_id: row.session_id } },
            {
              token,
              effectKey: checked.effect_key,
              signal: AbortSignal.any([context.cancellationSignal, signal]),
            },
          );
          const content = newContent(row, "text/plain; charset=utf-8", value);
          const { step, effect_key } = checked;
          const data = { step, effect_key, key, value_digest: content.digest };
          return { result: undefined, type: "memory.remembered", data, contents: [content] };
        },
      });
    } finally {
      clearInterval(heartbeat);
    }
  };
}

/** What is found again later: who said what stands in it. */
async function turnText(deps: ActivityDeps, row: SessionRow, action: GovernedAction, answer: string): Promise<string> {
  const question = await questionOf(deps, row, action);
  return `User: ${question}\nAssistant: ${answer.slice(0, answerCharacters).toWellFormed()}`;
}
