import { childEnvironment } from "../child-environment.ts";
import type { Part, Site } from "../part.ts";
import { checkHttp } from "../probes.ts";

export const identityService: Part = {
  name: "identity-service",
  needs: [],
  endsWith: [],
  ports: ["identity-service"],
  deadlineMs: 45_000,
  stopWithinMs: 16_000,
  address: (site) => `http://127.0.0.1:${String(site.ports["identity-service"])}`,
  launch: (site) => ({
    command: process.execPath,
    args: ["services/identity-service/src/main.ts"],
    cwd: site.root,
    env: childEnvironment({
      HOST: "127.0.0.1",
      PORT: String(site.ports["identity-service"]),
      DATA_DIR: `${site.dataDir}/identity-service`,
      REGISTRY_FILE: `${site.root}/infra/identity/registry.yaml`,
      SERVICE_CREDENTIALS_DIR: credentialsDir(site),
      ...site.env["identity-service"],
    }),
  }),
  check: (site, signal) => checkHttp(`${identityService.address(site)}/ready`, signal),
  advice: "The registry infra/identity/registry.yaml or a key file that others may read are the usual causes.",
};

/** Where the identity service leaves each service's credential, in a file named after the service. */
export function credentialsDir(site: Site): string {
  return `${site.dataDir}/credentials`;
}
