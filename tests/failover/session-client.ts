import { setTimeout as sleep } from "node:timers/promises";
import { request, type Agent } from "undici";
import { endings } from "./record-views.ts";
import type { Answer, ClientSession, StreamConnection } from "./records.ts";
import type { SessionPlan } from "./plan.ts";
import { readConnection } from "./stream-reader.ts";

const answerWithinMs = 5_000;
const pauseMs = 700;

/**
 * One session's client, as a careful user writes it: repeats what got no answer or a 503, with the id or key that it
 * named; reads on where it was; gives up nothing that it was promised. Everything that it saw stands in `record`.
 */
export class SessionClient {
  readonly #url: string;
  readonly #plan: SessionPlan;
  readonly #dispatcher: Agent;
  readonly #stop: AbortSignal;
  readonly #starts: Answer[] = [];
  readonly #cancels: Answer[] = [];
  readonly #streams: StreamConnection[] = [];
  readonly #statuses: string[] = [];
  readonly #foreignReads: Answer[] = [];
  #id: string | undefined;

  constructor(url: string, plan: SessionPlan, dispatcher: Agent, stop: AbortSignal) {
    this.#url = url;
    this.#plan = plan;
    this.#dispatcher = dispatcher;
    this.#stop = stop;
  }

  get record(): ClientSession {
    const { label, kind, tenant, sessionId, key } = this.#plan;
    return {
      label,
      kind,
      tenant,
      ...(sessionId !== undefined && { sessionId }),
      ...(key !== undefined && { key }),
      starts: this.#starts,
      cancels: this.#cancels,
      streams: this.#streams,
      statuses: this.#statuses,
      foreignReads: this.#foreignReads,
    };
  }

  /** Resolves when the session has ended, as far as this client can see, or when the run stops. */
  async run(): Promise<void> {
    await this.#start();
    if (this.#id === undefined) return;
    if (this.#plan.key !== undefined) await this.#askStart();
    if (this.#plan.kind === "canceled") await this.#cancel();
    if (this.#plan.kind === "streamed") await this.#follow();
    await this.#waitForEnd();
    const other = `tenant=${this.#plan.otherTenant}`;
    this.#foreignReads.push(await this.#ask("GET", `/v1/sessions/${this.#id}?${other}`));
    this.#foreignReads.push(await this.#ask("GET", `/v1/sessions/${this.#id}/events?${other}`));
  }

  async #start(): Promise<void> {
    while (!this.#stop.aborted) {
      const answer = await this.#askStart();
      if (answer.status === 202) this.#id = answer.sessionId;
      // Without a key the second request of a name that was taken by the first says so: it was there all along.
      else if (answer.status === 409 && answer.code === "SESSION_ID_TAKEN" && this.#starts.length > 1)
        this.#id = this.#plan.sessionId;
      if (this.#id !== undefined) return;
      if (answer.status !== null && answer.status !== 503 && answer.status !== 409) return;
      await this.#pause();
    }
  }

  async #askStart(): Promise<Answer> {
    const { tenant, user, prompt, label, sessionId, key } = this.#plan;
    const metadata = { labels: [label], ...(sessionId !== undefined && { session_id: sessionId }) };
    const headers = key === undefined ? {} : { "idempotency-key": key };
    const answer = await this.#ask("POST", "/v1/sessions", { tenant, user, prompt, metadata }, headers);
    this.#starts.push(answer);
    return answer;
  }

  async #cancel(): Promise<void> {
    await sleep(this.#plan.cancelAfterMs);
    while (!this.#stop.aborted) {
      const answer = await this.#ask("POST", `/v1/sessions/${this.#id ?? ""}/actions/cancel`);
      this.#cancels.push(answer);
      if (answer.status !== null && answer.status !== 503) return;
      await this.#pause();
    }
  }

  async #follow(): Promise<void> {
    const url = `${this.#url}/v1/sessions/${this.#id ?? ""}/events`;
    let leaveAfter = this.#plan.leaveAfter;
    while (!this.#stop.aborted) {
      const last = this.#streams.flatMap(({ events }) => events).at(-1)?.id ?? "0";
      const connection = await readConnection(url, Number(last), this.#dispatcher, leaveAfter, this.#stop);
      this.#streams.push(connection);
      if (connection.complete) return;
      leaveAfter = Number.POSITIVE_INFINITY;
      await this.#pause();
    }
  }

  async #waitForEnd(): Promise<void> {
    while (!this.#stop.aborted) {
      const status = await this.#readStatus();
      if (status !== undefined && this.#statuses.at(-1) !== status) this.#statuses.push(status);
      if (status !== undefined && endings.has(`session.${status}`)) return;
      await this.#pause();
    }
  }

  async #readStatus(): Promise<string | undefined> {
    const answer = await this.#ask("GET", `/v1/sessions/${this.#id ?? ""}`);
    return answer.status === 200 ? answer.view : undefined;
  }

  async #ask(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer & { readonly view?: string }> {
    const at = Date.now();
    try {
      const answer = await request(this.#url + path, {
        dispatcher: this.#dispatcher,
        method,
        headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(answerWithinMs),
      });
      const said: { code?: string; session_id?: string; status?: unknown } = JSON.parse(await answer.body.text());
      return {
        at,
        status: answer.statusCode,
        ...(said.code !== undefined && { code: said.code }),
        ...(said.session_id !== undefined && { sessionId: said.session_id }),
        ...(typeof said.status === "string" && { view: said.status }),
      };
    } catch {
      return { at, status: null };
    }
  }

  async #pause(): Promise<void> {
    await sleep(pauseMs, undefined, { signal: this.#stop }).catch(() => undefined);
  }
}
