import type { AuditEvent } from "@soma/contracts/audit";
import type { SessionAction } from "@soma/contracts/session";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answered, Person } from "./conversation.ts";

/** The same words each time, and a model that chooses none by chance. */
const sampling = { temperature: 0, seed: 7, max_tokens: 12 };

/**
 * A conversation of three turns, the second of which waits for an approver, told to the end whatever happens to the
 * worker meanwhile: who speaks tries again with the same key until he has a definite answer.
 */
export async function tellConversation(operator: Person, approver: Person): Promise<string> {
  const messages = [{ role: "user", content: "Name a color." }];
  const id = await operator.start("", { prompt: undefined, mode: "interactive", messages, sampling });
  await operator.reached(id, "waiting_input", 1);
  await insist(operator, id, "message", { text: "Name a word for a release to our customers." });
  const { approval_id, action_digest } = await operator.approvalOf(id);
  await insist(approver, id, "approve", { approval_id, action_digest });
  await operator.reached(id, "waiting_input", 2);
  await insist(operator, id, "message", { text: "Name a fruit.", final: true });
  await operator.reached(id, "completed");
  return id;
}

async function insist(person: Person, id: string, action: SessionAction, body: Record<string, unknown>): Promise<void> {
  const key = { "idempotency-key": `${action} ${JSON.stringify(body).length}`.replaceAll(" ", "-") };
  let last: Answered | undefined;
  for (let attempt = 1; attempt <= 20; attempt += 1) {
    const answer = await person.act(id, action, body, key);
    if (answer.status === 200) return;
    last = answer.body;
    if (answer.status !== 503) break;
    await sleep(200);
  }
  throw new Error(`${action} was not taken: ${JSON.stringify(last)}`);
}

/** What a ledger says that must be the same for the same words, with ids of this session's own by the order they come in. */
export function told(events: readonly AuditEvent[]): string[] {
  const names = new Map<string, string>();
  const placed = (text: string): string =>
    text.replaceAll(/(act|apr)_[0-9a-f]{32}/g, (id, kind: string) => {
      const name = names.get(id) ?? `${kind}-${String(names.size + 1)}`;
      names.set(id, name);
      return name;
    });
  const lines = events.map(({ eventkey, type, data }) => {
    const digests = ["prompt_digest", "message_digest", "result_digest", "base_hash", "code", "outcome"].map((name) =>
      String(data[name]),
    );
    // A step whose worker died may take a second token; each is named by its own id.
    const key = type === "token.issued" ? eventkey.replace(/\/[^/]*$/, "") : eventkey;
    return [placed(key), type, ...digests].join(" ");
  });
  return [...new Set(lines)];
}
