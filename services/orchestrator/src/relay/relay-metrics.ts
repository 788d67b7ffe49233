import { Counter, Gauge, type Registry } from "@soma/kit/metrics";

/** What an operator watches of the way to Kafka; registered only where brokers are named, so that nothing is invented. */
export interface RelayMetrics {
  readonly backlog: Gauge;
  readonly lagSeconds: Gauge;
  readonly delivered: Counter;
  readonly failures: Counter<"reason">;
  readonly deadLetters: Counter;
  readonly holdsLease: Gauge;
}

export function createRelayMetrics(registry: Registry): RelayMetrics {
  const registers = [registry];
  return {
    backlog: new Gauge({
      name: "soma_audit_backlog_events",
      help: "Events of the ledger that are not in Kafka yet, whichever process delivers them",
      registers,
    }),
    lagSeconds: new Gauge({
      name: "soma_audit_lag_seconds",
      help: "Age of the oldest event that is not in Kafka yet; 0 when there is none",
      registers,
    }),
    delivered: new Counter({
      name: "soma_audit_delivered_total",
      help: "Events that this process delivered to Kafka",
      registers,
    }),
    failures: new Counter({
      name: "soma_audit_send_failures_total",
      help: "Batches of this process that count as not sent, by reason: refused, thread, deadline, or offsets (an acknowledgement that cannot be true)",
      labelNames: ["reason"],
      registers,
    }),
    deadLetters: new Counter({
      name: "soma_audit_dead_letters_total",
      help: "Events that this process did not send because the topic cannot take their size; they stay in the ledger",
      registers,
    }),
    holdsLease: new Gauge({
      name: "soma_audit_relay_lease",
      help: "1 while this process is the one that delivers, else 0",
      registers,
    }),
  };
}
