import { createHash } from "node:crypto";
import type { RunRecords } from "./records.ts";

/** An event in the making; the chain's fields are put on afterwards. */
export type Draft = Record<string, unknown> & { readonly data: Record<string, unknown> };

/**
 * The records as they would be had this session's story been another one: its ledger, its pages and its messages are
 * told anew and sealed into a whole chain. What other witnesses say stays as it was.
 */
export function retell(records: RunRecords, session: string, edit: (events: Draft[]) => Draft[]): RunRecords {
  const rows = records.ledger.filter((row) => row.session === session);
  const tenant = rows[0]?.tenant ?? "";
  const told = edit(rows.map(({ json }): Draft => JSON.parse(json)));
  let prevhash = `sha256:${"0".repeat(64)}`;
  const lines = told.map((event, index) => {
    const { hash: _hash, ...rest } = event;
    const id = eventId(tenant, session, String(event["eventkey"]));
    const sealed = { ...rest, id, sequence: index + 1, prevhash };
    prevhash = `sha256:${sha256(canonicalJson(sealed))}`;
    return { id, json: canonicalJson({ ...sealed, hash: prevhash }) };
  });
  const partition = records.topic.find(({ key }) => key === session)?.partition ?? 0;
  const offset = 1 + Math.max(0, ...records.topic.map((message) => message.offset));
  return {
    ...records,
    ledger: [
      ...records.ledger.filter((row) => row.session !== session),
      ...lines.map(({ id, json }, index) => ({ position: 1e6 + index, id, tenant, session, seq: index + 1, json })),
    ],
    api: records.api.map((view) =>
      view.sessionId === session ? { ...view, events: lines.map(({ json }) => json) } : view,
    ),
    topic: [
      ...records.topic.filter(({ key }) => key !== session),
      ...lines.map(({ json }, index) => ({ partition, offset: offset + index, key: session, value: json })),
    ],
  };
}

function eventId(...parts: readonly string[]): string {
  return `evt_${sha256(parts.map((part) => `${String(Buffer.byteLength(part))}:${part}`).join(""))}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** RFC 8785, as far as our events need it. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
