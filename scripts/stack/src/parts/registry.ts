import { partNames, usualPartNames, type Part, type PartName } from "../part.ts";
import { gateway } from "./gateway.ts";
import { identityService } from "./identity-service.ts";
import { kafka } from "./kafka.ts";
import { memoryGateway } from "./memory-gateway.ts";
import { orchestrator } from "./orchestrator.ts";
import { policyEngine } from "./policy-engine.ts";
import { ray } from "./ray.ts";
import { slm } from "./slm.ts";
import { temporal } from "./temporal.ts";

const parts: Readonly<Record<PartName, Part>> = {
  kafka,
  ray,
  slm,
  temporal,
  "policy-engine": policyEngine,
  "identity-service": identityService,
  "memory-gateway": memoryGateway,
  orchestrator,
  gateway,
};

/** The wanted parts and all that they cannot be without, in the order in which they are shown and started. */
export function selectParts(wanted: readonly PartName[] = usualPartNames): Part[] {
  const selected = new Set<PartName>();
  const add = (name: PartName): void => {
    if (selected.has(name)) return;
    selected.add(name);
    for (const other of [...parts[name].needs, ...parts[name].endsWith]) add(other);
  };
  wanted.forEach((name) => add(name));
  return partNames.filter((name) => selected.has(name)).map((name) => parts[name]);
}
