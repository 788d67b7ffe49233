/** One listener of the broker: how it is named, where it listens, what it speaks. */
export interface BrokerListener {
  readonly name: string;
  readonly port: number;
  readonly protocol: "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";
}

export interface BrokerOptions {
  /** Where its records are; absolute. */
  readonly dataDir: string;
  readonly controllerPort: number;
  /** At least one; the first is the one that the broker itself uses. */
  readonly listeners: readonly [BrokerListener, ...BrokerListener[]];
  /** Further properties, over those below. */
  readonly more?: Readonly<Record<string, string>>;
}

/**
 * The properties of a broker that is its own controller, on loopback only. The voters are named here and not in the
 * formatted storage, so that the same data can be started on other ports. Topics are made by whoever needs them, never
 * by a misspelt name.
 */
export function writeBrokerProperties({ dataDir, controllerPort, listeners, more }: BrokerOptions): string {
  const places = listeners.map(({ name, port }) => `${name}://127.0.0.1:${String(port)}`).join(",");
  const properties = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${String(controllerPort)}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `${places},CONTROLLER://127.0.0.1:${String(controllerPort)}`,
    "advertised.listeners": places,
    "inter.broker.listener.name": listeners[0].name,
    "listener.security.protocol.map": [
      "CONTROLLER:PLAINTEXT",
      ...listeners.map(({ name, protocol }) => `${name}:${protocol}`),
    ].join(","),
    "log.dirs": dataDir,
    "auto.create.topics.enable": "false",
    // One broker cannot copy to another.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    // Its own session of before a kill must be over before it is let in again: 9 s by default.
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "300",
    "controller.quorum.election.timeout.ms": "300",
    "controller.quorum.fetch.timeout.ms": "600",
    "controller.quorum.election.backoff.max.ms": "300",
    ...more,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
