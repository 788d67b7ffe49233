import type { Site } from "../part.ts";

/** Where the gateway keeps its key, and the public half that the orchestrator reads. */
export function gatewayDataDir(site: Site): string {
  return `${site.dataDir}/gateway`;
}
