import type { Verdict } from "./invariants.ts";
import type { RunRecords } from "./records.ts";

const shown = 5;

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

/** The run in words and tables: what fired, how sessions went on, what holds. */
export function describeRun(records: RunRecords, verdicts: readonly Verdict[], left: readonly string[]): string {
  const begin = Math.min(...records.client.flatMap(({ starts }) => starts.map(({ at }) => at)));
  const faults = records.fired.map(({ id, pids, killedAt, backAt, openSessions }) => {
    const measure = records.measures.find(({ fault }) => fault === id);
    return [
      id,
      `${seconds(killedAt - begin)} s`,
      String(pids.length),
      `${seconds(backAt - killedAt)} s`,
      String(openSessions),
      measure
        ? `${String(measure.sessions)} sessions, first ${seconds(measure.firstMs)} s, last ${seconds(measure.slowestMs)} s`
        : "",
    ];
  });
  const checks = verdicts.map(({ name, holds, violations }) => [
    violations.length === 0 ? "holds" : `VIOLATED ${String(violations.length)}`,
    name,
    holds,
  ]);
  const details = verdicts.flatMap(({ name, violations }) =>
    violations.length === 0
      ? []
      : [
          `\n${name}:`,
          ...violations.slice(0, shown).map((violation) => `  ${violation}`),
          ...(violations.length > shown ? [`  and ${String(violations.length - shown)} more`] : []),
        ],
  );
  return [
    table([["fault", "killed at", "processes", "away", "open", "moved again"], ...faults]),
    countLine(records),
    table([["", "invariant", "what holds"], ...checks]),
    ...left.map((name) => `not checked: ${name}`),
    ...details,
  ].join("\n");
}

function countLine({ client, ledger, requests, topic, workflows }: RunRecords): string {
  const ends = new Map<string, number>();
  for (const { statuses } of client) {
    const end = statuses.at(-1) ?? "unknown";
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  const asked = client.reduce((sum, { starts }) => sum + starts.length, 0);
  return [
    `\n${String(client.length)} clients, ${String(asked)} start requests, ${String(workflows.length)} workflows,`,
    `${String(ledger.length)} events, ${String(topic.length)} messages in the topic,`,
    `${String(requests.length)} requests to targets; ends:`,
    `${[...ends].map(([status, count]) => `${status} ${String(count)}`).join(", ")}\n`,
  ].join(" ");
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
