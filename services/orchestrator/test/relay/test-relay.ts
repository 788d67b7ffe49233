import { createMetrics } from "@soma/kit/metrics";
import { createTestLog } from "../../../../packages/kit/test/log-lines.ts";
import { readKafkaConfig, type KafkaConfig } from "../../src/kafka-config.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { AuditRelay } from "../../src/relay/audit-relay.ts";
import { openKafka } from "../../src/relay/open-kafka.ts";
import { until } from "../../../../tests/harness/until.ts";

/** The settings of brokers without TLS and login. */
export function plainConfig(address: string, backlogMax = 1_000_000): KafkaConfig {
  const config = readKafkaConfig({ KAFKA_BOOTSTRAP_SERVERS: address, AUDIT_BACKLOG_MAX: backlogMax });
  if (config === undefined) throw new TypeError("no brokers");
  return config;
}

interface TestRelayOptions {
  readonly ledger: Ledger;
  readonly config: KafkaConfig;
  /** Short, so that a test need not wait for a process of ten seconds ago. */
  readonly lease?: { readonly ms: number; readonly renewEveryMs: number };
}

/** The relay with all that a process has around it. */
export async function startTestRelay({ ledger, config, lease }: TestRelayOptions) {
  const { registry } = createMetrics("test");
  const logged = createTestLog();
  const kafka = await openKafka(config, { ledger, log: logged.log, registry });
  const { forwarder, metrics, address } = kafka;
  const relay = new AuditRelay({ ledger, forwarder, metrics, log: logged.log, address, ...(lease && { lease }) });
  relay.start();
  const valueOf = async (name: string): Promise<number> => {
    const metric = await registry.getSingleMetric(name)?.get();
    return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  };
  return {
    kafka,
    log: logged,
    valueOf,
    stopRelay: () => relay.stop(),
    async [Symbol.asyncDispose]() {
      await relay.stop();
      await kafka.close();
    },
  };
}

/** Resolves when nothing waits any more. */
export async function delivered(ledger: Ledger, withinMs = 60_000): Promise<void> {
  await until(
    "all is delivered",
    async () => {
      const { cursor, newest } = await ledger.relay.backlog();
      return cursor >= newest ? true : undefined;
    },
    withinMs,
  );
}
