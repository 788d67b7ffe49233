import { childEnvironment } from "../child-environment.ts";
import type { Part } from "../part.ts";
import { checkHttp } from "../probes.ts";
import { identityService } from "./identity-service.ts";
import { ray, rayEnvironment } from "./ray.ts";

/** The small language model on Ray Serve. Started beside Ray: it waits for the head itself, and its imports take long. */
export const slm: Part = {
  name: "slm",
  needs: [],
  endsWith: ["ray"],
  ports: ["slm"],
  deadlineMs: 240_000,
  stopWithinMs: 8_000,
  address: (site) => `http://127.0.0.1:${String(site.ports.slm)}`,
  launch: (site) => ({
    command: `${site.root}/.soma/slm/bin/python`,
    args: ["-m", "soma_slm.main"],
    cwd: `${site.root}/services/slm`,
    env: childEnvironment({
      ...rayEnvironment(site),
      SLM_HOST: "127.0.0.1",
      SLM_PORT: String(site.ports.slm),
      RAY_ADDRESS: ray.address(site),
      RAY_NAMESPACE: "somagent",
      SLM_DATA_DIR: `${site.dataDir}/slm`,
      SLM_EMBED_GGUF: `${site.root}/.soma/models/all-minilm-l6-v2.f16.gguf`,
      // Without an identity service it lets in whoever reaches it, which it does on loopback only.
      ...(site.parts.has("identity-service") && { IDENTITY_SERVICE_URL: identityService.address(site) }),
      ...site.env.slm,
    }),
  }),
  check: (site, signal) => checkHttp(`${slm.address(site)}/health`, signal),
  advice: "A replica's own log lies under ray/session_latest/logs beside this stack's logs.",
};
