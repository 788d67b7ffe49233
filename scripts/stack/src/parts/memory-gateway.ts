import { childEnvironment } from "../child-environment.ts";
import type { Part } from "../part.ts";
import { checkHttp } from "../probes.ts";
import { credentialsDir, identityService } from "./identity-service.ts";
import { slm } from "./slm.ts";

/** It starts without the model: what needs vectors is refused until that is there. */
export const memoryGateway: Part = {
  name: "memory-gateway",
  needs: ["identity-service"],
  endsWith: [],
  ports: ["memory-gateway"],
  deadlineMs: 45_000,
  stopWithinMs: 16_000,
  address: (site) => `http://127.0.0.1:${String(site.ports["memory-gateway"])}`,
  launch: (site) => ({
    command: process.execPath,
    args: ["services/memory-gateway/src/main.ts"],
    cwd: site.root,
    env: childEnvironment({
      HOST: "127.0.0.1",
      PORT: String(site.ports["memory-gateway"]),
      DATA_DIR: `${site.dataDir}/memory-gateway`,
      IDENTITY_SERVICE_URL: identityService.address(site),
      IDENTITY_CREDENTIAL_FILE: `${credentialsDir(site)}/memory-gateway`,
      EMBEDDING_BASE_URL: slm.address(site),
      ...site.env["memory-gateway"],
    }),
  }),
  check: (site, signal) => checkHttp(`${memoryGateway.address(site)}/ready`, signal),
  advice: "A master key other than the one that its database was begun with is the usual cause; its log names it.",
};
