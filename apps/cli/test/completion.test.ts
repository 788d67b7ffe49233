import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { runShell } from "./shells.ts";

/** What is offered for a line, and what must be among it and must not. */
const lines: readonly {
  readonly typed: readonly string[];
  readonly among: readonly string[];
  readonly not: readonly string[];
}[] = [
  { typed: [""], among: ["session", "audit", "doctor", "completion", "--url"], not: ["start", "--watch"] },
  { typed: ["session", ""], among: ["start", "get", "list", "watch", "cancel", "--json"], not: ["audit", "--watch"] },
  {
    typed: ["session", "start", "--"],
    among: ["--stdin", "--watch", "--idempotency-key", "--profile"],
    not: ["start"],
  },
  { typed: ["--json", "session", "list", "--status", ""], among: ["completed", "timed_out"], not: ["--json", "list"] },
  { typed: ["session", "say", "x", "--busy", ""], among: ["enqueue", "rollback"], not: ["--busy", "say"] },
  { typed: ["approval", ""], among: ["list"], not: ["session"] },
  { typed: ["completion", ""], among: ["bash", "zsh", "fish"], not: ["session"] },
  { typed: ["key", "create", "ci", "--role", ""], among: ["viewer", "auditor"], not: ["--role"] },
];

const isThere = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}

const offers = {
  bash: (typed: readonly string[]) =>
    `source <(soma completion bash); COMP_WORDS=(soma ${quoted(typed)}); COMP_CWORD=${String(typed.length)}; _soma; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Outside of its line editor zsh offers nothing: what the function would offer is caught.
  zsh: (typed: readonly string[]) =>
    `compdef() { :; }; _files() { :; }; compadd() { shift; printf '%s\\n' "$@"; }; source <(soma completion zsh); words=(soma ${quoted(typed)}); CURRENT=${String(typed.length + 1)}; _soma`,
  fish: (typed: readonly string[]) =>
    `soma completion fish | source; complete -C 'soma ${typed.join(" ")}' | string split -f1 \\t; true`,
} as const;

test("bash, and zsh and fish where they are installed, are offered what the program knows", (context) => {
  const installed = (["bash", "zsh", "fish"] as const).filter((shell) => isThere(shell));
  assert.ok(installed.includes("bash"));
  context.diagnostic(`checked with ${installed.join(", ")}`);
  for (const shell of installed) {
    for (const { typed, among, not } of lines) {
      const { status, stdout, stderr } = runShell(shell, offers[shell](typed));
      assert.equal(stderr, "", shell);
      assert.equal(status, 0, typed.join(" "));
      const offered = new Set(stdout.split("\n"));
      for (const word of among)
        assert.ok(offered.has(word), `${shell}: "${typed.join(" ")}" does not offer ${word}: ${stdout}`);
      for (const word of not) assert.ok(!offered.has(word), `${shell}: "${typed.join(" ")}" offers ${word}`);
    }
  }
});
