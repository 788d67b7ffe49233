import type { OrchestratorParts } from "./orchestrator-parts.ts";
import { AuditRelay } from "./relay/audit-relay.ts";

/** Starts the relay to Kafka, one of all that run at the same ledger; nothing to do where no brokers are named. */
export function startRelay(parts: OrchestratorParts): { stop(): Promise<void> } {
  const { kafka, ledger, log } = parts;
  if (kafka === undefined) return { stop: () => Promise.resolve() };
  const { forwarder, metrics, address } = kafka;
  const relay = new AuditRelay({ ledger, forwarder, metrics, log, address });
  relay.start();
  return relay;
}
