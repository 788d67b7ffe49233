import type { Digest } from "@soma/contracts/ids";
import { sha256 } from "@soma/kit/digest";
import type { Subject } from "../contents/subject.ts";

/** A text or blob that events name by digest and do not hold: a prompt, a completion, a tool's arguments. */
export interface NewContent extends Subject {
  readonly digest: Digest;
  /** e.g. `text/plain; charset=utf-8` */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * Content of a data subject with its digest.
 *
 * @example newContent(row, "text/plain; charset=utf-8", prompt).digest
 */
export function newContent({ tenant, user }: Subject, mediaType: string, content: string | Uint8Array): NewContent {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return { tenant, user, digest: sha256(bytes), mediaType, bytes };
}

/** @throws TypeError when content does not have its digest or belongs to none of the subjects of the events */
export function assertContents(contents: readonly NewContent[], events: readonly Subject[]): void {
  for (const { tenant, user, digest, bytes } of contents) {
    if (sha256(bytes) !== digest) throw new TypeError("content does not have the digest that is given for it");
    if (!events.some((event) => event.tenant === tenant)) throw new TypeError("content of a tenant without an event");
    if (!events.some((event) => event.user === user)) throw new TypeError("content of a user without an event");
  }
}

/** The sessions of an append that a content of it belongs to: those of its user. */
export function sessionsNaming(
  { user }: Subject,
  events: readonly { readonly session_id: string; readonly user: string }[],
): string[] {
  return [...new Set(events.filter((event) => event.user === user).map(({ session_id }) => session_id))];
}

/** @throws TypeError when the events of one append belong to several tenants: no transaction sees two */
export function assertOneTenant(events: readonly { readonly tenant: string }[]): void {
  if (new Set(events.map(({ tenant }) => tenant)).size > 1)
    throw new TypeError("events of several tenants in one append");
}
