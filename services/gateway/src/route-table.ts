import { ChatCompletionRequest, ResponseRequest } from "@soma/contracts/openai";
import { CreateApiKeyRequest } from "@soma/contracts/api-key";
import { LoginRequest } from "@soma/contracts/identity";
import { sessionActions, StartSessionRequest, type SessionAction } from "@soma/contracts/session";
import { actionBodies, actionCapabilities } from "@soma/contracts/session-action";
import { EraseSubjectRequest, StopRequest } from "@soma/contracts/stop";
import { CreateTenantRequest, TenantActionRequest, UpdateTenantRequest } from "@soma/contracts/tenant";
import type { Capability } from "@soma/contracts/wire-names";
import type { TSchema } from "typebox";

/** One route of the public API. What has no row here does not exist for the outside. */
export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly summary: string;
  /** Any one of these capabilities lets a caller in; `open`: no token is asked for. */
  readonly needs: "open" | readonly [Capability, ...Capability[]];
  /** Who answers. */
  readonly to: "orchestrator" | "identity-service";
  /** Begins work: refused for a suspended tenant, and when its quota is used up. */
  readonly starts?: boolean;
  /** The schema that whoever answers has, too: one object in contracts. */
  readonly body?: TSchema;
  /** Where the request may name another tenant than the caller's: whoever answers decides which. Nowhere unless given. */
  readonly namesTenant?: "body" | "query";
  /** Can answer with a stream. */
  readonly streams?: boolean;
  /** The shape of its refusals; problem documents unless given. */
  readonly errors?: "openai";
  /** How long the answer's first byte may take, in milliseconds. */
  readonly answersWithinMs?: number;
}

const toOrchestrator = { to: "orchestrator" } as const;
const start = {
  ...toOrchestrator,
  method: "POST",
  needs: ["session.start"],
  starts: true,
  body: StartSessionRequest,
  answersWithinMs: 20_000,
} as const;

const openai = { ...toOrchestrator, errors: "openai" } as const;
const answer = {
  ...openai,
  method: "POST",
  needs: ["session.start"],
  starts: true,
  streams: true,
  // The orchestrator itself gives up after five minutes.
  answersWithinMs: 310_000,
} as const;

/** Actions that are nothing without their body. */
const withBody: ReadonlySet<SessionAction> = new Set(["message", "approve", "deny", "extend-budget"]);

function actionRoute(action: SessionAction): Route {
  return {
    ...toOrchestrator,
    method: "POST",
    path: `/v1/sessions/:id/actions/${action}`,
    summary: "Act on a session",
    needs: [actionCapabilities[action]],
    // The others can go without a body: there the orchestrator looks at it.
    ...(withBody.has(action) && { body: actionBodies[action] }),
    // A worker carries it out, which may have to take over from a dead one first.
    answersWithinMs: 20_000,
  };
}

export const routeTable: readonly Route[] = [
  { ...start, path: "/v1/sessions", summary: "Start a session" },
  { ...start, path: "/v1/sessions/start", summary: "Start a session" },
  {
    ...toOrchestrator,
    method: "GET",
    path: "/v1/sessions",
    summary: "Sessions of the caller's tenant, newest first",
    needs: ["session.read", "ledger.read"],
  },
  {
    ...toOrchestrator,
    method: "GET",
    path: "/v1/sessions/:id",
    summary: "Status and result of a session",
    needs: ["session.read", "ledger.read"],
  },
  {
    ...toOrchestrator,
    method: "GET",
    path: "/v1/sessions/:id/events",
    summary: "The session's ledger, as pages or as a stream",
    needs: ["session.read", "ledger.read"],
    streams: true,
  },
  {
    ...toOrchestrator,
    method: "GET",
    path: "/v1/sessions/:id/diagnosis",
    summary: "Why a session is where it is, and what would move it",
    needs: ["session.read", "ledger.read"],
  },
  ...sessionActions.map(actionRoute),

  {
    ...answer,
    path: "/v1/chat/completions",
    summary: "Start a session of these messages and wait for its answer, or stream it",
    body: ChatCompletionRequest,
  },
  {
    ...answer,
    path: "/v1/responses",
    summary: "Start a session of this input; wait for it, stream it, or leave it in the background",
    body: ResponseRequest,
  },
  {
    ...openai,
    method: "GET",
    path: "/v1/responses/:id",
    summary: "A session as a response; with `stream` its events from after a place on",
    needs: ["session.read"],
    streams: true,
  },
  {
    ...openai,
    method: "POST",
    path: "/v1/responses/:id/cancel",
    summary: "Cancel a response's session",
    needs: ["session.cancel"],
  },
  { ...openai, method: "GET", path: "/v1/models", summary: "Models that the caller can use", needs: ["session.read"] },
  { ...openai, method: "GET", path: "/v1/models/:id", summary: "One model", needs: ["session.read"] },

  {
    ...toOrchestrator,
    method: "POST",
    path: "/v1/tenants",
    summary: "Make a tenant",
    needs: ["platform.manage"],
    body: CreateTenantRequest,
    namesTenant: "body",
  },
  { ...toOrchestrator, method: "GET", path: "/v1/tenants", summary: "All tenants", needs: ["platform.manage"] },
  {
    ...toOrchestrator,
    method: "GET",
    path: "/v1/tenants/:tenant",
    summary: "A tenant",
    needs: ["tenant.read", "platform.manage"],
  },
  {
    ...toOrchestrator,
    method: "PATCH",
    path: "/v1/tenants/:tenant",
    summary: "Change a tenant",
    needs: ["tenant.manage", "platform.manage"],
    body: UpdateTenantRequest,
  },
  {
    ...toOrchestrator,
    method: "POST",
    path: "/v1/tenants/:tenant/suspend",
    summary: "Suspend a tenant: nothing starts, running work pauses, reads go on",
    needs: ["platform.manage"],
    body: TenantActionRequest,
  },
  {
    ...toOrchestrator,
    method: "POST",
    path: "/v1/tenants/:tenant/resume",
    summary: "End a tenant's suspension",
    needs: ["platform.manage"],
    body: TenantActionRequest,
  },
  {
    ...toOrchestrator,
    method: "GET",
    path: "/v1/tenants/:tenant/events",
    summary: "The tenant's own ledger",
    needs: ["ledger.read", "platform.manage"],
  },

  {
    ...toOrchestrator,
    method: "POST",
    path: "/v1/stops",
    summary: "Stop what runs: a session, a user's, an agent's, a tenant's or all",
    needs: ["session.stop", "platform.manage"],
    body: StopRequest,
    namesTenant: "body",
    answersWithinMs: 60_000,
  },
  {
    ...toOrchestrator,
    method: "POST",
    path: "/v1/erasures",
    summary: "Erase a data subject",
    needs: ["subject.erase", "platform.manage"],
    body: EraseSubjectRequest,
    namesTenant: "body",
    answersWithinMs: 90_000,
  },

  {
    ...toOrchestrator,
    method: "POST",
    path: "/v1/api-keys",
    summary: "Make an API key; its secret is shown this once",
    needs: ["key.manage", "platform.manage"],
    body: CreateApiKeyRequest,
    namesTenant: "body",
  },
  {
    ...toOrchestrator,
    method: "GET",
    path: "/v1/api-keys",
    summary: "The tenant's API keys, without their secrets",
    needs: ["key.manage", "platform.manage"],
    namesTenant: "query",
  },
  {
    ...toOrchestrator,
    method: "DELETE",
    path: "/v1/api-keys/:id",
    summary: "Revoke an API key",
    needs: ["key.manage", "platform.manage"],
    namesTenant: "query",
  },

  {
    method: "POST",
    path: "/v1/login",
    summary: "Exchange the access token of a trusted issuer for one of ours",
    needs: "open",
    to: "identity-service",
    body: LoginRequest,
  },
  {
    method: "GET",
    path: "/.well-known/jwks.json",
    summary: "The keys that our tokens are signed with",
    needs: "open",
    to: "identity-service",
  },
];
