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
    case "action.decided":
      return [data["allowed"] === true ? "allowed" : "denied", said("action"), `by ${said("by")}`, said("reasons")];
    case "action.refused":
      return [said("action"), `by ${said("by")}`, said("code")];
    case "message.received":
      return [`by ${said("by")}`, data["final"] === true ? "the last one" : ""];
    case "turn.started":
      return [said("turn")];
    case "turn.ended":
      return [said("turn"), said("outcome"), said("code")];
    case "approval.requested":
      return [said("approval_id"), said("role"), said("reasons")];
    case "approval.granted":
    case "approval.denied":
      return [said("approval_id"), `by ${said("by")}`];
    case "approval.expired":
    case "approval.voided":
      return [said("approval_id"), said("reason")];
    case "budget.exhausted":
      return [said("dimension"), `${said("used")} of ${said("limit")} used, ${said("needed")} needed`];
    case "budget.extended":
      return [`by ${said("by")}`];
    case "memory.recalled":
      return [`${said("passages")} passages`];
    case "session.paused":
    case "session.resumed":
      return [said("reason"), said("by") && `by ${said("by")}`];
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
