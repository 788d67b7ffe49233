import { readFileSync } from "node:fs";

/** Memory of a process that is its own and in use, in bytes: pages that it shares with others are not counted. */
export function ownMemoryBytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
  const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kibibytes === undefined) throw new Error(`the system does not say how much memory process ${String(pid)} uses`);
  return Number(kibibytes) * 1024;
}
