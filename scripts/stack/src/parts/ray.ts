import { childEnvironment } from "../child-environment.ts";
import type { Part, Site } from "../part.ts";
import { checkConnect } from "../probes.ts";

/**
 * The Ray head, slim: no dashboard, no log monitor, every port away from those that other programs expect. It listens
 * on all of the host's addresses and cannot be told not to (it replaces a loopback address by the host's), so that
 * the token is what keeps others out.
 */
export const ray: Part = {
  name: "ray",
  needs: [],
  endsWith: [],
  ports: ["ray", "ray-client"],
  deadlineMs: 90_000,
  stopWithinMs: 6_000,
  address: (site) => `127.0.0.1:${String(site.ports.ray)}`,
  launch: (site) => ({
    command: `${site.root}/.soma/slm/bin/ray`,
    args: [
      "start",
      "--head",
      "--block",
      "--num-cpus=2",
      "--disable-usage-stats",
      "--include-log-monitor=false",
      "--include-dashboard=false",
      "--dashboard-host=127.0.0.1",
      "--object-store-memory=100000000",
      `--port=${String(site.ports.ray)}`,
      `--ray-client-server-port=${String(site.ports["ray-client"])}`,
      `--min-worker-port=${String(site.rayWorkerPorts?.from ?? 0)}`,
      `--max-worker-port=${String(site.rayWorkerPorts?.to ?? 0)}`,
      `--temp-dir=${site.rayDir}`,
    ],
    cwd: site.runDir,
    env: childEnvironment({ ...rayEnvironment(site), ...site.env.ray }),
  }),
  async check(site, signal) {
    // The head's port answers seconds before its raylet, which starts the workers; both are needed.
    const closed = await checkConnect({ port: site.ports.ray, host: "127.0.0.1" }, signal);
    return closed ?? (await checkConnect({ path: `${site.rayDir}/session_latest/sockets/raylet` }, signal));
  },
  advice: "Less than 2 GiB of free memory or a full /dev/shm are the usual causes; the log has Ray's own words.",
};

/** What the head and all that join it must agree on. Ray would otherwise look for a token in the home folder. */
export function rayEnvironment(site: Site): Record<string, string> {
  return {
    RAY_AUTH_MODE: "token",
    RAY_AUTH_TOKEN_PATH: `${site.runDir}/ray-token`,
    RAY_USAGE_STATS_ENABLED: "0",
    // Waiting threads that spin make generation many times slower on a small machine.
    OMP_WAIT_POLICY: "passive",
  };
}
