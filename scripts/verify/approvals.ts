import { count, isBefore, text, type Place } from "./format.ts";

interface Approval {
  readonly effect: string;
  readonly action: string;
  readonly requestedBy: string;
  readonly role: string;
  readonly quorum: number;
  readonly expiresAt: string;
  readonly grantedBy: Set<string>;
}

/** An approval that a decision asks for. */
export interface Asked {
  readonly role: string;
  readonly quorum: number;
}

/** Approvals from the request to their use. */
export class Approvals {
  /** Neither closed nor used. */
  readonly #live = new Map<string, Approval>();
  readonly #asked = new Set<string>();

  /** No approval waits for anybody. */
  isNoneOpen(): boolean {
    return [...this.#live.values()].every(isGranted);
  }

  /** @param roleOf the role in which policy let somebody carry out an action; nothing where no decision on it stands before */
  follow(place: Place, roleOf: (actionId: string) => string | undefined): void {
    const { type, data, report } = place;
    if (type === "turn.ended") this.#live.clear();
    if (!type.startsWith("approval.")) return;
    const id = text(data, "approval_id");
    const approval = this.#live.get(id);
    if (type === "approval.requested") {
      if (this.#asked.has(id)) report("approval", "the approval was asked for before");
      else this.#request(id, place);
      // That a voided one is gone already is no violation.
    } else if (type === "approval.voided") this.#live.delete(id);
    else if (!this.#asked.has(id)) place.missing("approval", "the approval was not asked for");
    else if (approval === undefined || isGranted(approval)) report("approval", "the approval was decided before");
    else if (type === "approval.expired") this.#live.delete(id);
    else this.#decide(id, approval, place, roleOf(text(data, "action_id")));
  }

  #request(id: string, { data }: Place): void {
    this.#asked.add(id);
    this.#live.set(id, {
      effect: text(data, "effect_key"),
      action: text(data, "action_digest"),
      requestedBy: text(data, "requested_by"),
      role: text(data, "role"),
      // What is no number of people is more than there are.
      quorum: count(data, "quorum") || Number.POSITIVE_INFINITY,
      expiresAt: text(data, "expires_at"),
      grantedBy: new Set(),
    });
  }

  #decide(id: string, approval: Approval, { type, data, time, user, report }: Place, role: string | undefined): void {
    const by = text(data, "by");
    const granted = type === "approval.granted";
    if (text(data, "action_digest") !== approval.action) report("approval", "the approval is for another action");
    else if (!isBefore(time, approval.expiresAt)) report("approval", "the time for the approval was over");
    else if (granted && (by === approval.requestedBy || by === user))
      report("approval", "nobody approves what was asked for in his own name");
    else if (granted && approval.grantedBy.has(by)) report("approval", "one person has approved twice");
    else if (role !== undefined && role !== approval.role) report("approval", "the approval takes another role");
    else if (granted) approval.grantedBy.add(by);
    else this.#live.delete(id);
  }

  /** Checks what an intent relies on, and uses it up. @param asked what its decision asks for */
  use(place: Place, asked: readonly Asked[]): void {
    const { data, time, report } = place;
    const id = text(data, "approval_id");
    if (id === "" && asked.length === 0) return;
    const approval = this.#live.get(id);
    if (id === "") report("approval", "the decision asks for an approval, and the intent names none");
    else if (!this.#asked.has(id)) place.missing("approval", "the approval was not asked for");
    else if (approval === undefined) report("approval", "the approval was closed or used before");
    else {
      const reason = whyNotGood(approval, data, time) ?? whyNotAsked(approval, asked);
      if (reason !== undefined) report("approval", reason);
    }
    this.#live.delete(id);
  }
}

function whyNotGood(approval: Approval, intent: Place["data"], time: string): string | undefined {
  if (!isGranted(approval)) return "the approval was not given";
  if (approval.effect !== text(intent, "effect_key")) return "the approval was given for another effect";
  if (approval.action !== text(intent, "action_digest")) return "the approval was given for another action";
  return isBefore(time, approval.expiresAt) ? undefined : "the time of the approval was over";
}

function whyNotAsked({ role, quorum }: Approval, asked: readonly Asked[]): string | undefined {
  if (asked.length > 1) return "the decision asks for several approvals, and an intent can have one";
  const [one] = asked;
  if (one === undefined) return undefined;
  if (one.role !== role) return "the approval is that of another role than the decision asks for";
  return quorum >= one.quorum ? undefined : "fewer people were asked than the decision asks for";
}

function isGranted({ grantedBy, quorum }: Approval): boolean {
  return grantedBy.size >= quorum;
}
