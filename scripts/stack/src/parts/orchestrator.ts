import { childEnvironment } from "../child-environment.ts";
import type { Part } from "../part.ts";
import { checkHttp } from "../probes.ts";
import { gatewayDataDir } from "./gateway-data.ts";
import { credentialsDir, identityService } from "./identity-service.ts";
import { kafka } from "./kafka.ts";
import { memoryGateway } from "./memory-gateway.ts";
import { policyEngine } from "./policy-engine.ts";
import { slm } from "./slm.ts";
import { temporal } from "./temporal.ts";

/** API and worker in one process. It starts without the model: sessions wait for it and say so. */
export const orchestrator: Part = {
  name: "orchestrator",
  needs: ["temporal", "policy-engine", "identity-service"],
  endsWith: [],
  ports: ["orchestrator"],
  deadlineMs: 90_000,
  stopWithinMs: 16_000,
  address: (site) => `http://127.0.0.1:${String(site.ports.orchestrator)}`,
  launch: (site) => ({
    command: process.execPath,
    args: ["services/orchestrator/src/main.ts"],
    cwd: site.root,
    env: childEnvironment({
      HOST: "127.0.0.1",
      PORT: String(site.ports.orchestrator),
      AUTH_MODE: "loopback",
      // Made by the gateway, which starts later; until then no hop token counts.
      GATEWAY_PUBLIC_KEY_FILE: `${gatewayDataDir(site)}/keys/hop-key.pub`,
      DATA_DIR: `${site.dataDir}/orchestrator`,
      TEMPORAL_HOST: temporal.address(site),
      POLICY_ENGINE_URL: policyEngine.address(site),
      IDENTITY_SERVICE_URL: identityService.address(site),
      IDENTITY_CREDENTIAL_FILE: `${credentialsDir(site)}/orchestrator`,
      SLM_BASE_URL: slm.address(site),
      LOG_LEVEL: "info",
      ...(site.memory && site.parts.has("memory-gateway") && { MEMORY_GATEWAY_URL: memoryGateway.address(site) }),
      ...(site.parts.has("kafka") && { KAFKA_BOOTSTRAP_SERVERS: kafka.address(site) }),
      ...site.env.orchestrator,
    }),
  }),
  check: (site, signal) => checkHttp(`${orchestrator.address(site)}/ready`, signal),
  advice: "Its first log lines name the setting or the dependency that stops it.",
};
