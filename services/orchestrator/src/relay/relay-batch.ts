import type { DeadLetter } from "../ledger/relay-store.ts";
import type { TailedEvent } from "../ledger/ledger.ts";
import type { TopicRecord } from "./forwarder-messages.ts";

/**
 * What one batch may hold: a broker takes about 1 MiB at once unless it was told otherwise (`max.message.bytes`,
 * 1,048,588), and each record has a head, the key and a header beside its value.
 */
export const batchLimits = { records: 500, bytes: 900_000 } as const;

const overheadBytes = 250;

interface PlacedRecord extends TopicRecord {
  readonly position: number;
  readonly eventId: string;
}

export interface RelayBatch {
  readonly records: readonly PlacedRecord[];
  readonly deadLetters: readonly DeadLetter[];
  /** The cursor once the records are in the topic: the position of the last event that is in here in either form. */
  readonly to: number;
}

/**
 * The next batch: the events from the first on, in their order, as many as the limits let in. An event that is over
 * the limit of bytes all alone becomes a dead letter and is not sent at all: no broker would ever take it, and those
 * behind it would wait for ever.
 *
 * @param events at least one, as `Ledger.tail` gives them
 */
export function nextBatch(events: readonly TailedEvent[], maxRecords: number = batchLimits.records): RelayBatch {
  const records: PlacedRecord[] = [];
  const deadLetters: DeadLetter[] = [];
  let to = 0;
  let used = 0;
  for (const { position, event, json } of events) {
    const bytes = Buffer.byteLength(json);
    if (bytes + overheadBytes > batchLimits.bytes) {
      deadLetters.push({ position, eventId: event.id, bytes });
    } else {
      used += bytes + overheadBytes;
      if (used > batchLimits.bytes || records.length >= maxRecords) break;
      records.push({ key: event.subject, value: json, position, eventId: event.id });
    }
    to = position;
  }
  return { records, deadLetters, to };
}

/** A batch of one record that the brokers refuse for its size, though we thought it small enough: it is buried, too. */
export function buryRecords({ records, deadLetters, to }: RelayBatch): RelayBatch {
  const buried = records.map(({ position, eventId, value }) => ({
    position,
    eventId,
    bytes: Buffer.byteLength(value),
  }));
  return { records: [], deadLetters: [...deadLetters, ...buried], to };
}
