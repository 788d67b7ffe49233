import type { Digest } from "@soma/contracts/ids";
import { sha256 } from "@soma/kit/digest";

/** A text or blob that events name by digest and do not hold: a prompt, a completion, a tool's arguments. */
export interface NewContent {
  readonly tenant: string;
  readonly digest: Digest;
  /** e.g. `text/plain; charset=utf-8` */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * Content with its digest.
 *
 * @example newContent("tenant-demo", "text/plain; charset=utf-8", prompt).digest
 */
export function newContent(tenant: string, mediaType: string, content: string | Uint8Array): NewContent {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return { tenant, digest: sha256(bytes), mediaType, bytes };
}

/** @throws TypeError when content does not have its digest or belongs to none of the tenants of the events */
export function assertContents(contents: readonly NewContent[], events: readonly { readonly tenant: string }[]): void {
  for (const { tenant, digest, bytes } of contents) {
    if (sha256(bytes) !== digest) throw new TypeError("content does not have the digest that is given for it");
    if (!events.some((event) => event.tenant === tenant)) throw new TypeError("content of a tenant without an event");
  }
}

/** @throws TypeError when the events of one append belong to several tenants: no transaction sees two */
export function assertOneTenant(events: readonly { readonly tenant: string }[]): void {
  if (new Set(events.map(({ tenant }) => tenant)).size > 1)
    throw new TypeError("events of several tenants in one append");
}
