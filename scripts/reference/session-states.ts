import { sessionActions, sessionStatuses, type SessionAction } from "@soma/contracts/session";
import {
  actionRules,
  endPhases,
  openPhases,
  transitions,
  type ActionNeed,
  type Condition,
  type Transition,
} from "@soma/contracts/session-machine";
import { code, page, table } from "./markdown.ts";

/** What each condition means; one that is missing here does not compile. */
const conditionWords: Readonly<Record<Condition, string>> = {
  allowed: "policy allows it",
  last_open_approval: "no other approval is open",
};
/** The same for a label in the drawing. */
const conditionLabels: Readonly<Record<Condition, string>> = { allowed: "allowed", last_open_approval: "none open" };
const needWords: Readonly<Record<ActionNeed, string>> = {
  interactive: "the session is interactive",
  paused_by_request: "somebody asked for the pause",
  failed_turn: "its last turn failed",
  budget: "it has a budget",
};

/** The states of a session, drawn and listed from the table that the ledger decides by. */
export function sessionStatesPage(): string {
  return page(
    "The states of a session",
    "`packages/contracts/src/session-machine.ts`",
    [
      "The ledger appends no event that the table below has no row for: whoever comes second finds the state that the first one left,",
      "and is refused with `TRANSITION_NOT_ALLOWED`, `SESSION_PAUSED` or `SESSION_ENDED`. Both verifiers check an exported ledger against",
      "a copy of it, in [ledger-format.md](ledger-format.md). `paused` is no place of its own: the session goes on where it was. A session",
      "whose next message waits already shows `running` between its turns: nobody has to say anything.",
    ].join("\n"),
    `\`\`\`mermaid\n${diagram()}\n\`\`\``,
    "The drawing leaves out what changes no state; the table has all of it.",
    "## What leads where",
    table(["event", "in", "if", "leads to", "while paused"], transitions.map(rowOf)),
    "## What each action needs",
    [
      "`POST /v1/sessions/{id}/actions/{action}` in a status that does not allow it is 409 and names the actions that are possible, which a",
      "session's view lists as `actions`. Once somebody asked for the session's end, only `cancel` and `terminate` are.",
    ].join("\n"),
    table(["action", ...openStatuses.map(code), "only if"], sessionActions.map(actionRow)),
  );
}

const openStatuses = sessionStatuses.filter((status) => !endPhases.some((end) => end === status));

function actionRow(action: SessionAction): string[] {
  const { statuses, needs } = actionRules[action];
  const marks = openStatuses.map((status) => (statuses.includes(status) ? "yes" : ""));
  return [code(action)].concat(marks, needs === undefined ? "" : needWords[needs]);
}

function rowOf({ event, from, when, to, pause, unpaused }: Transition): string[] {
  return [
    code(event),
    isAny(from) ? "any" : from.map(code).join(", "),
    when === undefined ? "" : conditionWords[when],
    [
      to === "same" ? "the same" : code(to),
      ...(pause === undefined ? [] : [pause === "sets" ? "paused" : "not paused"]),
    ].join(", "),
    unpaused === true ? "no" : "yes",
  ];
}

function isAny(from: Transition["from"]): boolean {
  return openPhases.every((phase) => from.includes(phase));
}

/** Mermaid; one arrow for all events that lead from one state to another. */
function diagram(): string {
  const arrows = new Map<string, string[]>();
  const draw = (from: string, to: string, { event, when }: Transition): void => {
    const key = `${from} --> ${to}`;
    const label = when === undefined ? event : `${event} (${conditionLabels[when]})`;
    arrows.set(key, [...(arrows.get(key) ?? []), label]);
  };
  for (const row of transitions) {
    const { from, to, pause } = row;
    if (pause === "sets") draw("open", "paused", row);
    if (pause === "lifts") draw("paused", "open", row);
    if (to === "same") continue;
    for (const phase of isAny(from) ? ["open"] : from) if (phase !== to) draw(phase, to, row);
  }
  const lines = [...arrows].map(([arrow, labels]) => `${arrow}: ${labels.join("<br/>")}`);
  return [
    "stateDiagram-v2",
    "  [*] --> open: session.created",
    "  state open {",
    "    [*] --> starting",
    ...lines.filter(isInside).map((line) => `    ${line}`),
    "  }",
    ...lines.filter((line) => !isInside(line)).map((line) => `  ${line}`),
    ...endPhases.map((end) => `  ${end} --> [*]`),
  ].join("\n");
}

/** Between two states of an open session. */
function isInside(line: string): boolean {
  return openPhases.some((from) => openPhases.some((to) => line.startsWith(`${from} --> ${to}:`)));
}
