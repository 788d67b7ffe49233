import type { components } from "./generated/orchestrator.ts";

type Schemas = components["schemas"];

/** What goes over the wire, by the names that the contracts give it; member names are those of the JSON. */
export type StartSessionRequest = Schemas["StartSessionRequest"];
export type StartSessionAccepted = Schemas["StartSessionAccepted"];
export type SessionView = Schemas["SessionView"];
export type SessionPage = Schemas["SessionPage"];
export type SessionStatus = Schemas["SessionStatus"];
/** What can be done to a session. */
export type SessionAction = NonNullable<SessionView["actions"]>[number];
/** What waits for people. */
export type OpenApproval = NonNullable<SessionView["approvals"]>[number];
/** What a session may cost at most. */
export type Budget = NonNullable<StartSessionRequest["budget"]>;
/** A budget with what was used of it and what is set aside. */
export type BudgetView = NonNullable<SessionView["budget"]>;
export type AuditEvent = Schemas["AuditEvent"];
export type EventPage = Schemas["EventPage"];
export type SessionDiagnosis = Schemas["SessionDiagnosis"];
export type StopRequest = Schemas["StopRequest"];
export type StopReport = Schemas["StopReport"];
export type EraseSubjectRequest = Schemas["EraseSubjectRequest"];
export type ErasureReport = Schemas["ErasureReport"];
export type TenantView = Schemas["TenantView"];
export type TenantPage = Schemas["TenantPage"];
export type CreateTenantRequest = Schemas["CreateTenantRequest"];
export type UpdateTenantRequest = Schemas["UpdateTenantRequest"];
export type TenantActionRequest = Schemas["TenantActionRequest"];
export type ApiKeyView = Schemas["ApiKeyView"];
export type ApiKeyPage = Schemas["ApiKeyPage"];
export type CreateApiKeyRequest = Schemas["CreateApiKeyRequest"];
export type CreatedApiKey = Schemas["CreatedApiKey"];
export type LoginRequest = Schemas["LoginRequest"];
export type IssuedToken = Schemas["IssuedToken"];
export type Problem = Schemas["Problem"];
export type FieldError = Schemas["FieldError"];
export type ErrorCode = Schemas["ErrorCode"];

/** One event of a tenant's own ledger: the attributes of a session's event, other types. */
export type TenantEvent = Omit<AuditEvent, "type"> & { readonly type: string };
export interface TenantEventPage {
  readonly events: readonly TenantEvent[];
  /** Pass as `after` for the next page; absent when no event is left now. */
  readonly next_after?: number;
}

/**
 * A piece of a model step's text: placed by its offset in UTF-16 units, and never in the ledger. `attempt` grows whenever the
 * text is begun anew; the pieces of the last attempt, joined, are the text that the step ends with.
 */
export interface Delta {
  readonly step: string;
  readonly attempt: number;
  readonly offset: number;
  readonly text: string;
}

/** Events that retention has cut: the first and the last of them, and the last one's hash. */
export type EventGap = NonNullable<EventPage["gap"]>;

const terminalStatuses: ReadonlySet<SessionStatus> = new Set([
  "completed",
  "denied",
  "failed",
  "canceled",
  "timed_out",
]);

/** True for a status that no session leaves. */
export function isTerminal(status: SessionStatus): boolean {
  return terminalStatuses.has(status);
}
