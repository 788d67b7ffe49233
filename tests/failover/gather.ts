import { execFile } from "node:child_process";
import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@temporalio/client";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import type { EventPage } from "@soma/contracts/audit";
import type { SessionView } from "@soma/contracts/session";
import { isTenantSubject } from "@soma/contracts/tenant-events";
import { root } from "../../scripts/stack/src/layout.ts";
import { loadMasterKeys } from "../../services/orchestrator/src/contents/master-keys.ts";
import { openSqliteLedger } from "../../services/orchestrator/src/ledger/sqlite-ledger.ts";
import { createDataConverters } from "../../services/orchestrator/src/temporal/data-converters.ts";
import { findOwned } from "../../scripts/stack/src/processes/owned-processes.ts";
import { readGauge, readText } from "./metrics.ts";
import type { ApiSession, Generation, LedgerRow, Resources, Sink, WorkflowRecord } from "./records.ts";
import { readUnsent } from "./gather-topic.ts";
import type { World } from "./world.ts";

/**
 * Every workflow that Temporal knows, with what its history says, and the histories as places to look for secrets in:
 * as Temporal has them. Results alone are decrypted, with the orchestrator's own keys from its data folder.
 */
export async function gatherWorkflows(
  { connection }: Client,
  dataDir: string,
): Promise<{ workflows: WorkflowRecord[]; sinks: Sink[] }> {
  const path = join(dataDir, "keys/content-master.key");
  const masterKeys = loadMasterKeys({ variable: "CONTENT_MASTER_KEY_FILE", path });
  const ledger = await openSqliteLedger({ file: join(dataDir, "ledger.sqlite"), masterKeys });
  try {
    const dataConverter = createDataConverters(ledger, "default").client;
    return await readWorkflows(new Client({ connection, dataConverter }));
  } finally {
    await ledger.close();
  }
}

async function readWorkflows(client: Client): Promise<{ workflows: WorkflowRecord[]; sinks: Sink[] }> {
  const workflows: WorkflowRecord[] = [];
  const sinks: Sink[] = [];
  for await (const { workflowId, runId, status } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const history = await handle.fetchHistory();
    const events = history.events ?? [];
    const names = new Map(
      events.map(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => [
        String(eventId),
        scheduled?.activityType?.name ?? "",
      ]),
    );
    const attempts = events.flatMap(({ activityTaskStartedEventAttributes: started }) =>
      started ? [{ activity: names.get(String(started.scheduledEventId)) ?? "", attempt: started.attempt ?? 1 }] : [],
    );
    const result = status.name === "COMPLETED" ? await readResult(handle) : undefined;
    workflows.push({
      workflowId,
      status: status.name,
      events: events.length,
      attempts,
      ...(result !== undefined && { result }),
    });
    const text = JSON.stringify(historyToJSON(history));
    sinks.push({ place: `history of ${workflowId}`, text: withDecoded(text), promptsAllowed: false });
  }
  return { workflows, sinks };
}

/** What the model service itself wrote down, by its own command. */
export async function gatherGenerations({ stack }: World): Promise<Generation[]> {
  const { stdout } = await promisify(execFile)(
    join(root, ".soma/slm/bin/python"),
    ["-m", "soma_slm.journal", "list", join(stack.runDir, "data/slm")],
    { cwd: join(root, "services/slm"), maxBuffer: 1e8 },
  );
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((text) => {
      const line: { effect_key: string; at: string; completion_tokens: number } = JSON.parse(text);
      return { effectKey: line.effect_key, at: Date.parse(line.at), completionTokens: line.completion_tokens };
    });
}

async function readResult(handle: { result(): Promise<unknown> }): Promise<string | undefined> {
  const result = await handle.result();
  return typeof result === "object" && result !== null && "status" in result && typeof result.status === "string"
    ? result.status
    : undefined;
}

/** Payloads are base64 in JSON; what they hold is looked at, too. */
function withDecoded(json: string): string {
  const texts = [json];
  JSON.parse(json, (key, value: unknown) => {
    if (key === "data" && typeof value === "string") texts.push(Buffer.from(value, "base64").toString("utf8"));
    return value;
  });
  return texts.join("\n");
}

/** Each session of the ledger as its tenant reads it over the API. */
export async function gatherApi(url: string, rows: readonly LedgerRow[]): Promise<ApiSession[]> {
  const tenants = new Map(rows.map(({ session, tenant }) => [session, tenant]));
  const found: ApiSession[] = [];
  for (const [sessionId, tenant] of tenants) {
    if (isTenantSubject(sessionId)) continue;
    const view = await readJson<SessionView>(`${url}/v1/sessions/${sessionId}?tenant=${tenant}`);
    const events: string[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const page: EventPage = await readJson<EventPage>(
        `${url}/v1/sessions/${sessionId}/events?tenant=${tenant}&after=${String(after)}&limit=5`,
      );
      events.push(...page.events.map((event) => JSON.stringify(event)));
      after = page.next_after;
    }
    found.push({
      sessionId,
      tenant,
      status: view.status,
      ...(view.blocked_on !== undefined && { blockedOn: view.blocked_on }),
      events,
    });
  }
  return found;
}

// The caller says what it expects; what really came is compared with other records afterwards.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
async function readJson<Body>(url: string): Promise<Body> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answered ${String(answer.status)}: ${text.slice(0, 300)}`);
  const body: Body = JSON.parse(text);
  return body;
}

/** Logs of all parts (Ray's own included), metrics, and the command lines of all processes. */
export async function gatherSinks({ stack, worker }: World): Promise<Sink[]> {
  const sinks: Sink[] = [];
  const files = ["logs/*.log", "ray/session_2*/logs/**"].flatMap((pattern) =>
    globSync(pattern, { cwd: stack.runDir }).map((file) => join(stack.runDir, file)),
  );
  for (const file of files)
    if (statSync(file).isFile())
      sinks.push({
        place: file.slice(stack.runDir.length + 1),
        text: readFileSync(file, "utf8"),
        promptsAllowed: false,
      });
  const urls = [
    stack.url("orchestrator"),
    stack.url("policy-engine"),
    stack.url("identity-service"),
    ...(worker.url === undefined ? [] : [worker.url]),
  ];
  for (const url of urls)
    sinks.push({ place: `metrics of ${url}`, text: await readText(`${url}/metrics`), promptsAllowed: false });
  const { marker, parts } = stack.state;
  const leaders = parts.flatMap(({ process }) => (process ? [process] : []));
  const commands = findOwned({ marker, leaders }).map(({ pid }) => readCommandLine(pid));
  sinks.push({ place: "process arguments", text: commands.join("\n"), promptsAllowed: false });
  return sinks;
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

export async function gatherResources(
  world: World,
  workflows: readonly WorkflowRecord[],
  kafka: boolean,
): Promise<Resources> {
  const { stack, worker } = world;
  const url = stack.url("orchestrator");
  const metrics = await readText(`${url}/metrics`);
  const ready = await Promise.all(
    [url, ...(worker.url === undefined ? [] : [worker.url])].map((one) =>
      readJson<{ missing: readonly unknown[] }>(`${one}/ready`),
    ),
  );
  return {
    openStreams: readGauge(metrics, "soma_event_streams_open"),
    runningWorkflows: workflows.filter(({ status }) => status === "RUNNING").length,
    ...(kafka && {
      unsentEvents: await readUnsent(world),
      deadLetters: readGauge(metrics, "soma_audit_dead_letters_total"),
    }),
    dependenciesDown: ready.reduce((sum, { missing }) => sum + missing.length, 0),
  };
}
