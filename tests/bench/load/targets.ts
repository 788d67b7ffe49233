import { randomUUID } from "node:crypto";
import { Pool } from "undici";
import { verify } from "../../../scripts/soma-verify.ts";

/** What the load generator drives: one unit of work from its start to its end, as a client sees it. */
export interface Target {
  /** Runs one to its end and gives its id. @throws Error when anything was not as it must be */
  runOne(): Promise<string>;
  /** What is wrong with what was left behind by a unit of work that ended; undefined when nothing is. */
  checkOne(id: string): Promise<string | undefined>;
  close(): Promise<void>;
}

const storyOfASession = [
  "session.created",
  "policy.decided",
  "token.issued",
  "effect.intended",
  "effect.completed",
  "session.completed",
].join(" ");

/** Whole governed sessions through the HTTP API, each followed on its event stream to its last event. */
export function sessionTarget(url: string): Target {
  const pool = new Pool(url, { connections: 128, keepAliveTimeout: 60_000 });
  const headers = { "content-type": "application/json" };
  return {
    async runOne() {
      const id = `sess-${randomUUID()}`;
      const body = { tenant: "tenant-demo", user: "user-demo", prompt: "Say one word.", metadata: { session_id: id } };
      const started = await pool.request({
        method: "POST",
        path: "/v1/sessions/start",
        headers,
        body: JSON.stringify(body),
      });
      const text = await started.body.text();
      if (started.statusCode !== 202)
        throw new Error(`the start was answered with ${String(started.statusCode)}: ${text}`);
      const stream = await pool.request({
        method: "GET",
        path: `/v1/sessions/${id}/events`,
        headers: { accept: "text/event-stream" },
        bodyTimeout: 30_000,
      });
      const seen = namesOf(await stream.body.text());
      if (seen !== storyOfASession) throw new Error(`the stream told ${seen}`);
      return id;
    },
    async checkOne(id) {
      const answer = await pool.request({ method: "GET", path: `/v1/sessions/${id}/events` });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) return `its ledger was answered with ${String(answer.statusCode)}`;
      const { ok, counts, ended } = verify(text);
      return ok && counts.events === 6 && ended === "session.completed" ? undefined : "its ledger is not whole";
    },
    close: () => pool.close(),
  };
}

/** Workflows that do nothing. */
export function bareTarget(url: string): Target {
  const pool = new Pool(url, { connections: 128, keepAliveTimeout: 60_000 });
  return {
    async runOne() {
      const answer = await pool.request({ method: "POST", path: "/" });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(text);
      return "";
    },
    checkOne: async () => undefined,
    close: () => pool.close(),
  };
}

/** The ledger's events in a stream; deltas of the text are not in the ledger. */
function namesOf(stream: string): string {
  return [...stream.matchAll(/^event: ?(.+)$/gm)]
    .map(([, name]) => name)
    .filter((name) => name !== "delta")
    .join(" ");
}
