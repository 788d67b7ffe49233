import { readField, readNumber, readRecord, readText } from "../json-fields.ts";

/** A ledger as lines for a person: position, time since the event before, type, and what the event is about. */
export function describeTimeline(events: readonly unknown[]): string {
  let before: number | undefined;
  return events
    .map((event) => {
      const at = Date.parse(readText(event, "time"));
      const gap = before === undefined ? "" : `+${String(at - before)} ms`;
      before = at;
      const position = String(readNumber(event, "sequence")).padStart(3);
      const type = readText(event, "type").padEnd(24);
      return `  ${position}  ${gap.padStart(9)}  ${type} ${describeData(readRecord(event, "data"))}`.trimEnd();
    })
    .join("\n");
}

/** What stands beside the type, in this order, when the event has it. */
const shown = ["step", "action", "allowed", "code", "decision_id", "jti", "audience", "finish_reason"];

function describeData(data: object): string {
  return shown
    .flatMap((name) => {
      const value = readField(data, name);
      return typeof value === "string" || typeof value === "boolean" ? [`${name}=${String(value)}`] : [];
    })
    .join(" ");
}
