import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { root } from "../../../../scripts/stack/src/layout.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";

/** What a client of another make saw in the audit topic. */
export interface TopicReport {
  readonly records: number;
  readonly partitions: number;
  readonly sessions: number;
  /** SHA-256 of the bytes of each event, by its id. */
  readonly digests: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

/** Reads the whole topic by librdkafka and has it checked by a program that shares no code with ours. */
export async function checkTopic(broker: string, ...forbidden: readonly string[]): Promise<TopicReport> {
  const program = fileURLToPath(new URL("check-topic.py", import.meta.url));
  const { stdout } = await promisify(execFile)(
    `${root}/.soma/kafka-tools/bin/python`,
    [program, broker, ...forbidden],
    { maxBuffer: 1e8, timeout: 60_000 },
  );
  const report: TopicReport = JSON.parse(stdout);
  return report;
}

/** SHA-256 of the recorded bytes of each event of the ledger, by its id. */
export async function ledgerDigests(ledger: Ledger): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (let afterPosition = 0; ;) {
    const events = await ledger.tail({ afterPosition, limit: 1_000 });
    for (const { position, event, json } of events) {
      digests[event.id] = createHash("sha256").update(json).digest("hex");
      afterPosition = position;
    }
    if (events.length === 0) return digests;
  }
}

/** Deletes the topic and makes it anew, as an operator might: its offsets begin at 0 again. */
export async function remakeTopic(broker: string, partitions: number): Promise<void> {
  const program = `
import sys, time
from confluent_kafka.admin import AdminClient, NewTopic
admin = AdminClient({"bootstrap.servers": sys.argv[1]})
admin.delete_topics(["agent.audit"])["agent.audit"].result(15)
while "agent.audit" in admin.list_topics(timeout=15).topics:
    time.sleep(0.05)
admin.create_topics([NewTopic("agent.audit", int(sys.argv[2]))])["agent.audit"].result(15)
`;
  await promisify(execFile)(`${root}/.soma/kafka-tools/bin/python`, ["-c", program, broker, String(partitions)], {
    timeout: 60_000,
  });
}
