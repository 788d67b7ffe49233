import { AccessRefused } from "./access-refused.ts";
import { bodyOf } from "./body-of.ts";
import type { Visit } from "./visit.ts";

/** A body is JSON and not encoded; without one the header means nothing. */
export function checkContentType({ request }: Visit): void {
  if (bodyOf(request) === undefined) return;
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = request.headers;
  if (!/^application\/json[ \t]*(;|$)/i.test(type) || encoding !== "identity")
    throw new AccessRefused(
      "content_type",
      "UNSUPPORTED_MEDIA_TYPE",
      "Send the body with content-type: application/json, without an encoding.",
    );
}
