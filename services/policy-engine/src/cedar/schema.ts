import { roles } from "@soma/contracts/wire-names";
import { actionResources, type ResourceType } from "../platform-rules.ts";

/** Cedar entity type of each resource type. */
export const resourceEntities = {
  model: "Model",
  session: "Session",
  tenant: "Tenant",
  memory: "Memory",
} as const satisfies Record<ResourceType, string>;

/**
 * The schema that every pack's policies are validated against, strictly. `Role` is enumerated so that a misspelt role
 * is an error and not a policy that never applies. The user's own metadata has one place, `context.metadata`, as tags
 * of text on an entity of its own: nothing in it can become an attribute of the principal or the resource.
 */
export const cedarSchema = `
entity Role enum [${roles.map((role) => JSON.stringify(role)).join(", ")}];
entity Group;
entity User in [Role, Group] { tenant: String, name: String, role: String };
entity Model { labels: Set<String> };
entity Session;
entity Tenant;
entity Memory;
entity Metadata tags String;
type Request = { session_id: String, prompt_chars: Long, metadata: Metadata };
${Object.entries(actionResources)
  .map(
    ([action, resource]) =>
      `action ${JSON.stringify(action)} appliesTo { principal: [User], resource: [${resourceEntities[resource]}], context: Request };`,
  )
  .join("\n")}
`;
