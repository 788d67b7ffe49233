import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));

/** What keeps a shell from reading its user's own settings. */
const withoutHabits = { bash: ["--norc", "--noprofile"], zsh: ["-f"], fish: ["--no-config"] } as const;

/** Runs a script in a real shell in which `soma` is on the path. */
export function runShell(
  shell: "bash" | "zsh" | "fish",
  script: string,
  variables: Readonly<Record<string, string>> = {},
) {
  return spawnSync(shell, [...withoutHabits[shell], "-c", script], {
    encoding: "utf8",
    timeout: 30_000,
    env: { PATH: `${bin}:${process.env["PATH"] ?? ""}`, ...variables },
  });
}
