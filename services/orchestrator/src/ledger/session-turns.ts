import { turnOutcomes, type EventData, type TurnOutcome } from "@soma/contracts/audit";
import { DigestSchema, UserIdSchema } from "@soma/contracts/ids";
import { ErrorCodeSchema } from "@soma/contracts/problem";
import { maxQueuedMessages } from "@soma/contracts/session-action";
import { DomainError } from "@soma/kit/domain-error";
import { Type } from "typebox";

const closed = { additionalProperties: false } as const;

/** A conversation as its events make it. */
export const TurnsState = Type.Object(
  {
    /** The turn under way, or the last one. The first is the session's prompt. */
    turn: Type.Integer({ minimum: 1 }),
    /** Of the turn's message; absent for the first, which is the session's prompt. */
    message_digest: Type.Optional(DigestSchema),
    /** Position of the event that began it; absent for the first. What came before it is settled. */
    started_seq: Type.Optional(Type.Integer({ minimum: 1 })),
    /** Whose message it is. */
    asked_by: Type.Optional(UserIdSchema),
    /** Of the last turn that ended. */
    outcome: Type.Optional(Type.Unsafe<TurnOutcome>(Type.String({ enum: turnOutcomes }))),
    code: Type.Optional(ErrorCodeSchema),
    /** What the next turn goes on from; absent before the first answer. */
    base_hash: Type.Optional(DigestSchema),
    /** Received and not begun, oldest first. */
    waiting: Type.Array(
      Type.Object({ action_id: Type.String(), message_digest: DigestSchema, by: UserIdSchema }, closed),
    ),
  },
  closed,
);
export type TurnsState = Type.Static<typeof TurnsState>;

export const firstTurn: TurnsState = { turn: 1, waiting: [] };

/** Between two turns, with the next one's message there: nobody has to say anything for it to begin. */
export function isNextDue({ outcome, waiting }: TurnsState): boolean {
  return outcome !== undefined && waiting.length > 0;
}

/** The turn that a message which comes now is answered in: messages wait in line. */
export function turnOfNext({ turn, waiting }: TurnsState): number {
  return turn + waiting.length + 1;
}

/** @throws DomainError QUEUE_FULL, TRANSITION_NOT_ALLOWED */
export function messageReceived(turns: TurnsState, data: EventData<"message.received">): TurnsState {
  if (turns.waiting.length >= maxQueuedMessages)
    throw new DomainError("QUEUE_FULL", `${String(maxQueuedMessages)} messages wait already; try again later.`, {
      retryAfterSeconds: 5,
    });
  const { action_id, message_digest, by, turn = turnOfNext(turns) } = data;
  if (turn !== turnOfNext(turns)) throw notNow("Another message came first.");
  return { ...turns, waiting: [...turns.waiting, { action_id, message_digest, by }] };
}

/** The next turn with the oldest message, or the last one again after it failed. @throws DomainError TRANSITION_NOT_ALLOWED */
export function turnStarted(turns: TurnsState, data: EventData<"turn.started">, started_seq: number): TurnsState {
  const { outcome, code: _code, ...rest } = turns;
  if (data.action_id === undefined) {
    if (data.turn !== turns.turn || outcome !== "failed") throw notNow("Only a turn that failed can be tried again.");
    if (turns.waiting.length > 0) throw notNow("A message waits already, and is answered next.");
    return { ...rest, started_seq };
  }
  const [next, ...waiting] = turns.waiting;
  if (data.turn !== turns.turn + 1 || next?.action_id !== data.action_id || next.message_digest !== data.message_digest)
    throw notNow("The next turn is that of the message that waits longest.");
  return { ...rest, turn: data.turn, message_digest: next.message_digest, asked_by: next.by, waiting, started_seq };
}

/** @throws DomainError TRANSITION_NOT_ALLOWED */
export function turnEnded(turns: TurnsState, data: EventData<"turn.ended">): TurnsState {
  if (data.turn !== turns.turn) throw notNow("Another turn is under way.");
  const { outcome, code, base_hash = turns.base_hash } = data;
  const { code: _code, ...rest } = turns;
  return {
    ...rest,
    outcome,
    ...(code !== undefined && { code }),
    ...(base_hash !== undefined && { base_hash }),
  };
}

function notNow(detail: string): DomainError {
  return new DomainError("TRANSITION_NOT_ALLOWED", detail);
}
