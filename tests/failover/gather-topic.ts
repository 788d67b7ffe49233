import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { auditTopic } from "@soma/contracts/wire-names";
import { root } from "../../scripts/stack/src/layout.ts";
import { until } from "../harness/until.ts";
import { readGauge, readText } from "./metrics.ts";
import type { TopicRecord } from "./records.ts";
import type { World } from "./world.ts";

/** What the orchestrator says is still to be delivered. */
export async function readUnsent({ stack }: World): Promise<number> {
  return readGauge(await readText(`${stack.url("orchestrator")}/metrics`), "soma_audit_backlog_events");
}

/** The whole topic, read by a client of another make, after a bounded wait for what was under way. */
export async function gatherTopic(world: World): Promise<TopicRecord[]> {
  await until(
    "the backlog is delivered",
    async () => ((await readUnsent(world)) === 0 ? true : undefined),
    45_000,
  ).catch(() => undefined);
  const { stdout } = await promisify(execFile)(
    join(root, ".soma/kafka-tools/bin/python"),
    [fileURLToPath(new URL("read_topic.py", import.meta.url)), world.stack.url("kafka"), auditTopic],
    { maxBuffer: 1e9 },
  );
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): TopicRecord => JSON.parse(line));
}
