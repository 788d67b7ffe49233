import { isDeepStrictEqual } from "node:util";
import { verify } from "../../scripts/soma-verify.ts";
import type { RunRecords } from "./records.ts";
import { eventsBySession, groupBy, labelOf, parseEvent, rowsBySession } from "./record-views.ts";

/** Findings of the offline verifier that other checks look at by themselves. */
const checkedElsewhere: ReadonlySet<string> = new Set(["permit", "intent", "once", "end"]);

export function findBrokenChains(records: RunRecords): string[] {
  return [...rowsBySession(records)].flatMap(([id, rows]) => {
    const lines = rows.toSorted((one, other) => one.seq - other.seq).map(({ json }) => json);
    return verify(lines.join("\n")).violations.flatMap(({ seq, check, what }) =>
      checkedElsewhere.has(check) ? [] : [`${id} at ${String(seq)}: ${check}: ${what}`],
    );
  });
}

/** Rows say the same as the events in them, no id stands twice, and what the API pages out is what is in the file. */
export function findUnequalReadings(records: RunRecords): string[] {
  const found: string[] = [];
  for (const [id, rows] of groupBy(records.ledger, (row) => row.id))
    if (rows.length > 1) found.push(`${id} stands ${String(rows.length)} times in the ledger`);
  for (const { id, session, seq, tenant, json } of records.ledger) {
    const event = parseEvent(json);
    if (event.id !== id || event.subject !== session || event.sequence !== seq || event.tenant !== tenant)
      found.push(`${session} at ${String(seq)}: the row and its event differ`);
  }
  const rows = rowsBySession(records);
  for (const { sessionId, events } of records.api) {
    const stored = (rows.get(sessionId) ?? []).toSorted((one, other) => one.seq - other.seq).map(({ json }) => json);
    if (!isDeepStrictEqual(events.map(parsed), stored.map(parsed)))
      found.push(`${sessionId}: the API's pages and the ledger's file differ`);
  }
  return found;
}

/** What was read over all connections of a reader that resumes is the ledger from its first event on, without gap or repetition. */
export function findBrokenStreams(records: RunRecords): string[] {
  const stored = new Map(
    [...rowsBySession(records)].map(([id, rows]) => [id, rows.toSorted((one, other) => one.seq - other.seq)]),
  );
  const byLabel = new Map([...eventsBySession(records)].map(([id, events]) => [labelOf(events), id]));
  return records.client.flatMap(({ label, streams }) => {
    if (streams.length === 0) return [];
    const read = streams.flatMap(({ events }) => events);
    const ledger = stored.get(byLabel.get(label) ?? "") ?? [];
    for (const [index, { id, json }] of read.entries()) {
      if (id !== String(index + 1)) return [`${label}: event ${id} was read where ${String(index + 1)} is due`];
      if (!isDeepStrictEqual(parsed(json), parsed(ledger[index]?.json ?? "null")))
        return [`${label}: the stream's event ${id} is not the ledger's`];
    }
    if (streams.some(({ complete }) => complete) && read.length !== ledger.length)
      return [`${label}: the stream ended at ${String(read.length)} of ${String(ledger.length)} events`];
    return [];
  });
}

export function findTopicDisorder(records: RunRecords): string[] {
  return [...groupBy(records.topic, ({ key }) => key)].flatMap(([session, messages]) => {
    if (new Set(messages.map(({ partition }) => partition)).size > 1)
      return [`${session} stands in several partitions of the topic`];
    const seen = new Set<string>();
    let due = 1;
    for (const { value } of messages.toSorted((one, other) => one.offset - other.offset)) {
      const { id, sequence } = parseEvent(value);
      if (seen.has(id)) continue;
      seen.add(id);
      if (sequence !== due) return [`${session}: the topic has ${String(sequence)} where ${String(due)} is due`];
      due += 1;
    }
    return [];
  });
}

export function findChangedTopicBytes(records: RunRecords): string[] {
  return [...groupBy(records.topic, ({ value }) => parseEvent(value).id)].flatMap(([id, messages]) =>
    messages.some(({ value }) => value !== messages[0]?.value) ? [`${id} stands in the topic with several texts`] : [],
  );
}

/** Every event of the ledger is in the topic under its session's key, and nothing else is. */
export function findTopicDifferences(records: RunRecords): string[] {
  const sent = new Map(records.topic.map(({ key, value }) => [parseEvent(value).id, { key, value }]));
  const missing = records.ledger.flatMap(({ id, session, json }) => {
    const message = sent.get(id);
    if (!message) return [`${session}: ${parseEvent(json).type} is not in the topic`];
    return message.value === json && message.key === session ? [] : [`${session}: the topic has ${id} otherwise`];
  });
  const known = new Set(records.ledger.map(({ id }) => id));
  const foreign = [...sent.keys()].flatMap((id) => (known.has(id) ? [] : [`${id} is in the topic alone`]));
  return [...missing, ...foreign];
}

function parsed(json: string): unknown {
  const value: unknown = JSON.parse(json);
  return value;
}
