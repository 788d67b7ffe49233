import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The process that listens on a TCP port, as far as we may see it: undefined for another user's. */
export function findPortHolder(port: number): { pid: number; command: string } | undefined {
  const sockets = new Set(["tcp", "tcp6"].flatMap((table) => listeningSockets(table, port)));
  if (sockets.size === 0) return undefined;
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name) && openFiles(name).some((file) => sockets.has(file)))
      return { pid: Number(name), command: commandLine(name) };
  }
  return undefined;
}

/** Names, as in /proc/PID/fd, of the sockets in this kernel table that listen on the port; proc_pid_net(5). */
function listeningSockets(table: string, port: number): string[] {
  const listen = "0A";
  return readFileSync(`/proc/net/${table}`, "utf8")
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const localPort = Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
      return localPort === port && fields[3] === listen ? [`socket:[${String(fields[9])}]`] : [];
    });
}

/** What a process has open; less than that where it ended meanwhile, closes it, or is not ours to see. */
function openFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => readLink(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function readLink(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

function commandLine(pid: string): string {
  const text = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
  return text.length > 120 ? `${text.slice(0, 120)} …` : text;
}
