import type { SessionDiagnosis } from "@soma/client/shapes";
import { formatFields } from "./table.ts";
import { harmless, type Terminal } from "./terminal.ts";

/** Why a session is where it is, the nearest cause first, for people. */
export function describeDiagnosis(terminal: Terminal, diagnosis: SessionDiagnosis): string {
  const { session_id: session, status, as_of: asOf, causes, not_asked: notAsked } = diagnosis;
  const because = causes.map(({ code, since, what, would_move: next }) => {
    const when = since === undefined ? "" : ` since ${since}`;
    return `\n${terminal.style("bold", code)}${harmless(`${when}\n  ${what}\n  next: ${next}`)}\n`;
  });
  const open = notAsked.map(({ dependency, what }) => `\n${dependency} gave no answer: ${harmless(what)}\n`);
  return [formatFields(terminal, { session, status, as_of: asOf }), ...because, ...open].join("");
}
