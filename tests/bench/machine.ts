import { execFileSync } from "node:child_process";
import { availableParallelism, totalmem, arch, platform } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/stack/src/layout.ts";

/** What the figures were taken on, in words that name no machine. */
export interface Machine {
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly temporal: string;
  readonly python: string;
}

export function describeMachine(python: string): Machine {
  return {
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    node: process.versions.node,
    temporal: versionOf(join(root, ".soma/temporal/bin/temporal")).replace(/^temporal version /, "CLI "),
    python: versionOf(python).replace(/^Python /, ""),
  };
}

function versionOf(command: string): string {
  return execFileSync(command, ["--version"], { encoding: "utf8", timeout: 20_000 }).trim();
}
