import { childEnvironment } from "../child-environment.ts";
import type { Part } from "../part.ts";
import { checkHttp } from "../probes.ts";
import { gatewayDataDir } from "./gateway-data.ts";
import { credentialsDir, identityService } from "./identity-service.ts";
import { orchestrator } from "./orchestrator.ts";

/** The public door. It would start without the others, too; what is shown as ready should serve. */
export const gateway: Part = {
  name: "gateway",
  needs: ["identity-service", "orchestrator"],
  endsWith: [],
  ports: ["gateway"],
  deadlineMs: 45_000,
  stopWithinMs: 16_000,
  address: (site) => `http://127.0.0.1:${String(site.ports.gateway)}`,
  launch: (site) => ({
    command: process.execPath,
    args: ["services/gateway/src/main.ts"],
    cwd: site.root,
    env: childEnvironment({
      HOST: "127.0.0.1",
      PORT: String(site.ports.gateway),
      DATA_DIR: gatewayDataDir(site),
      ORCHESTRATOR_URL: orchestrator.address(site),
      IDENTITY_SERVICE_URL: identityService.address(site),
      IDENTITY_CREDENTIAL_FILE: `${credentialsDir(site)}/gateway`,
      ...site.env.gateway,
    }),
  }),
  check: (site, signal) => checkHttp(`${gateway.address(site)}/ready`, signal),
  advice: "A key file under the stack's data that others may read is the usual cause; its log names it.",
};
