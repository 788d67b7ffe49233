import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
/** The Python that the project sets up; any other of 3.11 or newer does as well. */
export const python = [`${root}.soma/slm/bin/python`].find((path) => existsSync(path)) ?? "python3";
export const pythonVerifier = `${root}scripts/soma_verify.py`;

/** What a verifier says, as far as the two must agree: words are each one's own. */
export interface Verdict {
  readonly ok: boolean;
  readonly tenant: string;
  readonly session: string;
  readonly counts: unknown;
  readonly last: unknown;
  readonly ended: string | null;
  readonly violations: readonly { readonly seq: number; readonly check: string }[];
  readonly notes: readonly string[];
}

/** One answer for each input: a verdict, or nothing for what cannot be read. One process for all of them. */
export function verifyInPython(inputs: readonly (readonly [text: string, head?: string])[]): (Verdict | undefined)[] {
  const answers: { verdict?: Verdict }[] = ask("verify", inputs);
  return answers.map(({ verdict }) => verdict);
}

/** The canonical form of each JSON text, or nothing for one that has none. */
export function canonicalInPython(texts: readonly string[]): (string | undefined)[] {
  const answers: { verdict?: string }[] = ask(
    "parse_and_write",
    texts.map((text) => [text]),
  );
  return answers.map(({ verdict }) => verdict);
}

function ask<Answer>(name: string, inputs: readonly (readonly (string | undefined)[])[]): Answer[] {
  const program = `
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(`${root}scripts`)})
from rfc8785 import canonical
from soma_verify import UnreadableError, parse, verify
ask = verify if ${JSON.stringify(name)} == "verify" else lambda text: canonical(parse(text))
for line in sys.stdin.buffer:
    try:
        print(json.dumps({"verdict": ask(*json.loads(line))}))
    except (UnreadableError, ValueError, RecursionError):
        print("{}")
`;
  const input = inputs.map((one) => `${JSON.stringify(one)}\n`).join("");
  const output = execFileSync(python, ["-c", program], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    timeout: 60_000,
  });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => {
      const answer: Answer = JSON.parse(line);
      return answer;
    });
}
