/** What workflow code may load at run time; everything else it may only know by type. */
const allowedValue =
  /^(@temporalio\/(workflow|common)|@soma\/contracts\/(wire-names|error-codes|session-machine)|\.\/[a-z-]+\.ts)$/;

/**
 * What would make a replay differ from the first run, or reach out of the sandbox: settings, the wall clock, chance,
 * timers and the network. Those of the SDK (`sleep`, `uuid4`, `workflowInfo`) are recorded in the history.
 */
const forbidden: Readonly<Record<string, RegExp>> = {
  "process (settings)": /\bprocess\b/,
  "the wall clock": /\bDate\b|\bperformance\b/,
  chance: /\bMath\s*\.\s*random\b|\bcrypto\b|\brandomUUID/,
  "a timer of Node's": /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/,
  "the network": /\bfetch\b|\bWebSocket\b/,
  "the way around all this": /\bglobalThis\b|\bglobal\b|\beval\b|\bFunction\b|\brequire\b|\bimport\s*\(/,
  "a log that a replay would repeat": /\bconsole\b/,
};

/** What P18 forbids in a workflow's source, one line for each finding. */
export function findViolations(source: string): string[] {
  const found: string[] = [];
  const statements =
    /^(?:import\b(?<loaded>[^;"']*?)(?:\bfrom\s*)?|export\b(?<passedOn>(?:[^;"'=]|"[^"]*")*?)\bfrom\s*)["'](?<from>[^"']+)["']/gm;
  for (const { groups } of source.matchAll(statements)) {
    const { loaded, passedOn, from = "" } = groups ?? {};
    const typesOnly = /^\s+type\b/.test(loaded ?? passedOn ?? "");
    if (!typesOnly && !allowedValue.test(from)) found.push(`loads ${from}`);
  }
  // The imports were judged above; comments and texts run no code.
  const code = source
    .replace(statements, "")
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
  for (const [what, pattern] of Object.entries(forbidden)) if (pattern.test(code)) found.push(`uses ${what}`);
  return found;
}
