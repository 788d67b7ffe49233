import { randomUUID } from "node:crypto";
import type { AuditEvent, EventPage } from "@soma/contracts/audit";
import type { Problem } from "@soma/contracts/problem";
import { isTerminal, type SessionView, type StartSessionAccepted } from "@soma/contracts/session";
import { until } from "./until.ts";

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

/** The HTTP API as a user calls it, with nothing between. */
export interface Api {
  readonly url: string;
  request<Body = Problem>(
    method: string,
    path: string,
    options?: { body?: unknown; raw?: string; headers?: Record<string, string> },
  ): Promise<Answer<Body>>;
  /** Starts a session and demands that it was accepted. */
  start(body: Record<string, unknown>, headers?: Record<string, string>): Promise<StartSessionAccepted>;
  view(id: string): Promise<SessionView>;
  events(id: string): Promise<AuditEvent[]>;
  /** Waits for the session's end. */
  ended(id: string, withinMs?: number): Promise<SessionView>;
}

export function apiOf(url: string): Api {
  const api: Api = {
    url,
    // The caller says what it expects of the body; the tests then look at what really came.
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
    async request<Body>(
      method: string,
      path: string,
      { body, raw, headers = {} }: { body?: unknown; raw?: string; headers?: Record<string, string> } = {},
    ) {
      const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const answer = await fetch(url + path, {
        method,
        headers: { ...(content !== undefined && { "content-type": "application/json" }), ...headers },
        ...(content !== undefined && { body: content }),
        redirect: "manual",
      });
      const text = await answer.text();
      const parsed: Body = text === "" ? undefined : JSON.parse(text);
      return { status: answer.status, headers: answer.headers, text, body: parsed };
    },
    async start(body, headers) {
      const answer = await api.request<StartSessionAccepted>("POST", "/v1/sessions/start", {
        body,
        ...(headers && { headers }),
      });
      if (answer.status !== 202)
        throw new Error(`the start was answered with ${String(answer.status)}: ${answer.text}`);
      return answer.body;
    },
    async view(id) {
      const answer = await api.request<SessionView>("GET", `/v1/sessions/${id}`);
      if (answer.status !== 200) throw new Error(`the read was answered with ${String(answer.status)}: ${answer.text}`);
      return answer.body;
    },
    async events(id) {
      const answer = await api.request<EventPage>("GET", `/v1/sessions/${id}/events?limit=1000`);
      return answer.body.events;
    },
    ended: (id, withinMs = 60_000) =>
      until(
        `session ${id} ends`,
        async () => {
          const view = await api.view(id);
          return isTerminal(view.status) ? view : undefined;
        },
        withinMs,
      ),
  };
  return api;
}

/** A start request of the demo tenant with an id of its own. */
export function demoSession(
  prompt: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> & { metadata: { session_id: string } } {
  return {
    tenant: "tenant-demo",
    user: "user-demo",
    prompt,
    ...more,
    metadata: { session_id: `sess-${randomUUID()}`, ...Object(more["metadata"]) },
  };
}
