import { childEnvironment } from "../child-environment.ts";
import type { Part } from "../part.ts";
import { checkHttp } from "../probes.ts";

export const policyEngine: Part = {
  name: "policy-engine",
  needs: [],
  endsWith: [],
  ports: ["policy-engine"],
  deadlineMs: 45_000,
  stopWithinMs: 16_000,
  address: (site) => `http://127.0.0.1:${String(site.ports["policy-engine"])}`,
  launch: (site) => ({
    command: process.execPath,
    args: ["services/policy-engine/src/main.ts"],
    cwd: site.root,
    env: childEnvironment({
      HOST: "127.0.0.1",
      PORT: String(site.ports["policy-engine"]),
      POLICY_DIR: `${site.root}/infra/policy`,
      ...site.env["policy-engine"],
    }),
  }),
  check: (site, signal) => checkHttp(`${policyEngine.address(site)}/ready`, signal),
  advice: "A policy pack under infra/policy that does not validate stops it; its log names the file.",
};
