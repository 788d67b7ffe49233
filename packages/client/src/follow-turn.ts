import { getSession } from "./sessions.ts";
import { sendMessage, type Message } from "./session-actions.ts";
import type { AuditEvent } from "./shapes.ts";
import { SomaError } from "./soma-error.ts";
import type { ChangeOptions, Transport } from "./transport.ts";
import { watchSession, type SessionUpdate, type WatchOptions } from "./watch-session.ts";

/** A message that was taken, and what comes of it. */
export interface Said {
  readonly actionId: string;
  /** Of the conversation: the turn that answers the message. */
  readonly turn: number;
  /** From the message on to the end of its turn, or of the session; pieces of this turn's answer alone. */
  readonly updates: AsyncGenerator<SessionUpdate, void, undefined>;
}

/**
 * Says something in an interactive session and follows what comes of it to the end of its turn: the answer as it is made,
 * whom it waits for, how it ended (`turn.ended`). With a key of one's own the same message may be said again, and is
 * followed again from where it was taken.
 *
 * @example
 * const { updates } = await soma.say(id, { text: "And then?" });
 * for await (const update of updates) if (update.kind === "delta") write(update.delta.text);
 *
 * @throws SomaError as {@link sendMessage}; the updates throw as {@link watchSession}
 */
export async function say(
  transport: Transport,
  id: string,
  message: Message,
  { idempotencyKey, ...options }: ChangeOptions & Omit<WatchOptions, "after"> = {},
): Promise<Said> {
  const { signal } = options;
  // A message that was taken before stands anywhere in the ledger.
  const after = idempotencyKey === undefined ? (await getSession(transport, id, options)).last_seq : 0;
  const { accepted } = await sendMessage(transport, id, message, {
    ...(signal && { signal }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
  if (accepted?.turn === undefined)
    throw new SomaError("BAD_RESPONSE", "The answer names no turn: it is not this API's.", {
      status: 200,
      requestId: "",
    });
  const { action_id: actionId, turn } = accepted;
  return {
    actionId,
    turn,
    updates: fromMessage(followTurn(transport, id, turn, { ...options, after }), actionId, turn),
  };
}

/**
 * Follows a conversation to the end of one of its turns, or of the session. `after` lies before the turn's end; a turn that
 * is tried again ends again.
 * @throws SomaError as {@link watchSession}
 */
export async function* followTurn(
  transport: Transport,
  id: string,
  turn: number,
  options: WatchOptions = {},
): AsyncGenerator<SessionUpdate, void, undefined> {
  for await (const update of watchSession(transport, id, options)) {
    yield update;
    if (update.kind === "event" && endsTurn(update.event, turn)) return;
  }
}

function endsTurn({ type, data }: AuditEvent, turn: number): boolean {
  return type === "turn.ended" && data["turn"] === turn;
}

async function* fromMessage(
  updates: AsyncIterable<SessionUpdate>,
  actionId: string,
  turn: number,
): AsyncGenerator<SessionUpdate, void, undefined> {
  let isTaken = false;
  for await (const update of updates) {
    if (update.kind === "event") {
      isTaken ||= update.event.type === "message.received" && update.event.data["action_id"] === actionId;
      if (isTaken) yield update;
    } else if (update.kind === "gap" || isOfTurn(update.delta.step, turn)) yield update;
  }
}

/** The turn's own step, or one that tries it again: `completion-3`, `completion-3.retry-1`. */
function isOfTurn(step: string, turn: number): boolean {
  const own = `completion-${String(turn)}`;
  return step === own || step.startsWith(`${own}.`);
}
