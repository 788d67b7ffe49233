import type { TenantEvent } from "@soma/client/shapes";

/** What an event says, in one line: its type and the one or two members that matter to a reader. */
export function describeEvent({ type, data }: Pick<TenantEvent, "type" | "data">): string {
  const words = detailsOf(type, data).filter((word) => word !== "");
  return words.length === 0 ? type : `${type}: ${words.join(", ")}`;
}

function detailsOf(type: string, data: Readonly<Record<string, unknown>>): string[] {
  const said = (name: string): string => {
    const value = data[name];
    if (Array.isArray(value)) return value.map(String).join(" ");
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  switch (type) {
    case "policy.decided":
      return [data["allowed"] === true ? "allowed" : "denied", said("action"), said("resource"), said("reasons")];
    case "token.issued":
      return [said("audience"), said("scopes")];
    case "effect.intended":
      return [said("action"), said("resource")];
    case "effect.completed":
      return [said("model"), said("finish_reason")];
    case "dependency.unavailable":
    case "dependency.recovered":
      return [said("dependency"), said("code")];
    case "session.cancel_requested":
      return [`by ${said("by")}`];
    case "api_key.created":
    case "api_key.revoked":
      return [said("key_id"), said("name"), said("role")];
    case "access.refused":
      return [said("reason"), `${said("count")} times`];
    default:
      return [said("code"), said("action"), said("reason"), said("reasons")];
  }
}
