import { searchAttributes } from "@soma/contracts/wire-names";
import { childEnvironment } from "../child-environment.ts";
import type { Part, Site } from "../part.ts";
import { askCommand, checkConnect } from "../probes.ts";

/**
 * Without the first of these each matching hop waits about 50 ms; without the interval a workflow that continues as
 * new waits a second. Values are JSON, so a duration has quotes of its own.
 */
const dynamicConfig = [
  "history.transferProcessorMaxPollRPS=2000",
  "history.timerProcessorMaxPollRPS=2000",
  "history.visibilityProcessorMaxPollRPS=2000",
  "history.outboundProcessorMaxPollRPS=2000",
  'history.workflowIdReuseMinimalInterval="1ms"',
  "matching.enableFairness=true",
];

/** Temporal's own development server, on a file; WAL, since without it a file halves the throughput. */
export const temporal: Part = {
  name: "temporal",
  needs: [],
  endsWith: [],
  ports: ["temporal", "temporal-ui", "temporal-metrics"],
  deadlineMs: 45_000,
  stopWithinMs: 10_000,
  address: (site) => `127.0.0.1:${String(site.ports.temporal)}`,
  launch: (site) => ({
    command: temporalCommand(site),
    args: [
      "server",
      "start-dev",
      "--log-level=error",
      "--ip=127.0.0.1",
      `--port=${String(site.ports.temporal)}`,
      "--ui-ip=127.0.0.1",
      `--ui-port=${String(site.ports["temporal-ui"])}`,
      "--ui-disable-news-fetch",
      `--metrics-port=${String(site.ports["temporal-metrics"])}`,
      `--db-filename=${site.dataDir}/temporal.db`,
      "--sqlite-pragma=journal_mode=wal",
      "--sqlite-pragma=synchronous=normal",
      ...Object.values(searchAttributes).map((name) => `--search-attribute=${name}=Keyword`),
      ...dynamicConfig.map((setting) => `--dynamic-config-value=${setting}`),
    ],
    cwd: site.dataDir,
    env: childEnvironment({ ...site.env.temporal }),
  }),
  async check(site, signal) {
    const closed = await checkConnect({ port: site.ports.temporal, host: "127.0.0.1" }, signal);
    if (closed !== undefined) return closed;
    // The frontend listens before the namespace and its attributes are there, and the orchestrator needs all three.
    const command = ["operator", "search-attribute", "list", "--namespace", "default", "--address"];
    const answer = await askCommand(
      temporalCommand(site),
      [...command, temporal.address(site)],
      childEnvironment({}),
      signal,
    );
    if (answer === undefined) return `the namespace "default" does not answer at ${temporal.address(site)}`;
    const absent = Object.values(searchAttributes).filter((name) => !answer.includes(name));
    return absent.length === 0 ? undefined : `search attributes not registered: ${absent.join(", ")}`;
  },
  advice:
    "A database file of another version or one that was cut off is the usual cause: move temporal.db away and start again.",
};

function temporalCommand(site: Site): string {
  return `${site.root}/.soma/temporal/bin/temporal`;
}
