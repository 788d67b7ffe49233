import type { Logger } from "@soma/kit/logger";
import type { Registry } from "@soma/kit/metrics";
import type { KafkaConfig } from "../kafka-config.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { BacklogWatch } from "./backlog-watch.ts";
import { KafkaForwarder } from "./kafka-forwarder.ts";
import { createRelayMetrics, type RelayMetrics } from "./relay-metrics.ts";

/** What every process has where brokers are named, whether it delivers or not. */
export interface KafkaParts {
  readonly address: string;
  readonly forwarder: KafkaForwarder;
  readonly backlog: BacklogWatch;
  readonly metrics: RelayMetrics;
  close(): Promise<void>;
}

/** Begins to watch the backlog. Brokers that are away hold nothing up. */
export async function openKafka(
  config: KafkaConfig,
  deps: { readonly ledger: Ledger; readonly log: Logger; readonly registry: Registry },
): Promise<KafkaParts> {
  const { brokers, tls, sasl, address, backlogMax } = config;
  const metrics = createRelayMetrics(deps.registry);
  const forwarder = new KafkaForwarder({ brokers, ...(tls && { tls }), ...(sasl && { sasl }) });
  const backlog = new BacklogWatch({ store: deps.ledger.relay, metrics, log: deps.log, max: backlogMax });
  await backlog.start();
  return {
    address,
    forwarder,
    backlog,
    metrics,
    async close() {
      await backlog.stop();
      await forwarder.close();
    },
  };
}
