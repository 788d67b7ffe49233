import type { AuditEvent, EventPage } from "@soma/contracts/audit";
import type { Problem } from "@soma/contracts/problem";
import type { SessionAction, SessionPage, SessionStatus, SessionView } from "@soma/contracts/session";
import type { OpenApproval } from "@soma/contracts/session-action";
import { demoSession, type Answer, type Api } from "./api.ts";
import { tokenOf } from "./tokens.ts";
import { until } from "./until.ts";

/** A session, or a problem that says why not. */
export type Answered = Partial<SessionView> & Partial<Omit<Problem, "status" | "errors">>;

/** Somebody who speaks to the API with a token of his own. */
export interface Person {
  readonly headers: Readonly<Record<string, string>>;
  start(prompt: string, more?: Record<string, unknown>): Promise<string>;
  act(id: string, action: SessionAction, body?: unknown, headers?: Record<string, string>): Promise<Answer<Answered>>;
  view(id: string): Promise<SessionView>;
  /** The newest of the tenant. */
  sessions(): Promise<readonly SessionView[]>;
  events(id: string): Promise<AuditEvent[]>;
  /** Waits until the session has a status, in a turn if one is given. */
  reached(id: string, status: SessionStatus, turn?: number): Promise<SessionView>;
  /** Waits for the first approval that the session asks for. */
  approvalOf(id: string): Promise<OpenApproval>;
}

/** A user of the registry, logged in, at an API. */
export async function personAt(api: Api, tenant: string, user: string): Promise<Person> {
  const headers = { authorization: `Bearer ${await tokenOf(tenant, user)}` };
  const view = async (id: string): Promise<SessionView> =>
    (await api.request<SessionView>("GET", `/v1/sessions/${id}`, { headers })).body;
  return {
    headers,
    async start(prompt, more = {}) {
      const body = { ...demoSession(prompt, more), tenant, user };
      await api.start(body, headers);
      return body.metadata.session_id;
    },
    act: (id, action, body = {}, more = {}) =>
      api.request<Answered>("POST", `/v1/sessions/${id}/actions/${action}`, { body, headers: { ...headers, ...more } }),
    view,
    sessions: async () => (await api.request<SessionPage>("GET", "/v1/sessions?limit=5", { headers })).body.sessions,
    events: async (id) =>
      (await api.request<EventPage>("GET", `/v1/sessions/${id}/events?limit=1000`, { headers })).body.events,
    reached: (id, status, turn) =>
      until(
        `${id} is ${status}`,
        async () => {
          const now = await view(id);
          return now.status === status && (turn === undefined || now.turn === turn) ? now : undefined;
        },
        60_000,
      ),
    approvalOf: (id) => until(`${id} asks for an approval`, async () => (await view(id)).approvals?.[0], 30_000),
  };
}
