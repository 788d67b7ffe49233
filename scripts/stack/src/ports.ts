import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { findPortHolder } from "./port-holder.ts";

/** Every port that the stack listens on and that can be chosen. */
export const portNames = [
  "gateway",
  "orchestrator",
  "identity-service",
  "policy-engine",
  "memory-gateway",
  "slm",
  "temporal",
  "temporal-ui",
  "temporal-metrics",
  "ray",
  "ray-client",
  "kafka",
  "kafka-controller",
] as const;
export type PortName = (typeof portNames)[number];
export type Ports = Readonly<Record<PortName, number>>;

/** Where a developer's stack listens. Ray's own defaults are Redis's port and the orchestrator's. */
export const developmentPorts: Ports = {
  gateway: 10000,
  orchestrator: 8090,
  "identity-service": 10002,
  "policy-engine": 10020,
  "memory-gateway": 10018,
  slm: 8000,
  temporal: 7233,
  "temporal-ui": 8233,
  "temporal-metrics": 8234,
  ray: 6399,
  "ray-client": 18001,
  kafka: 9092,
  "kafka-controller": 9093,
};

/** Below the range that the kernel gives to outgoing connections, so that a part finds its port free at a restart. */
const freePortsFrom = 22_000;
const freePortsTo = 32_000;

/** A wanted port that another process has. */
export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/**
 * The given ports, and a free one for each that is not given or 0.
 *
 * @throws PortTakenError naming each taken port of `needed`, who holds it and what to do; nothing has started then.
 */
export async function resolvePorts(given: Partial<Ports>, needed: ReadonlySet<PortName>): Promise<Ports> {
  const ports: Record<PortName, number> = { ...developmentPorts };
  const taken = new Set(Object.values(given));
  const complaints: string[] = [];
  for (const name of portNames) {
    // One that no part needs gets a free port, too: what is told of it must not be somebody else's.
    const wanted = needed.has(name) ? (given[name] ?? 0) : 0;
    const port = wanted === 0 ? await findFreePort(taken) : wanted;
    taken.add(port);
    ports[name] = port;
    if (wanted !== 0 && !(await isFree(wanted))) complaints.push(complain(name, wanted));
  }
  if (complaints.length > 0) throw new PortTakenError(complaints.join("\n"));
  return ports;
}

function complain(name: PortName, port: number): string {
  const holder = findPortHolder(port);
  const who =
    holder === undefined
      ? `held by a process of another user (as root, \`ss -ltnp 'sport = :${String(port)}'\` names it)`
      : `held by pid ${String(holder.pid)}: ${holder.command}`;
  return `port ${String(port)} (${name}) is taken, ${who}. End that process or choose another port: --port ${name}=0 takes a free one.`;
}

async function findFreePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(freePortsFrom, freePortsTo);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new PortTakenError(`no free port found between ${String(freePortsFrom)} and ${String(freePortsTo)}`);
}

/** True when the port can be had on every IPv4 address, loopback included. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    const server = createServer();
    try {
      server.listen({ port, host, exclusive: true });
      await once(server, "listening");
    } catch {
      return false;
    } finally {
      server.close();
    }
  }
  return true;
}
