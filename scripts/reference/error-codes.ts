import { errors } from "@soma/contracts/error-codes";
import { code, page, table } from "./markdown.ts";

/** The closed set of error codes. */
export function errorCodesPage(): string {
  const rows = Object.entries(errors).map(([name, { status, retry, title }]) => [
    code(name),
    String(status),
    retry,
    title,
  ]);
  return page(
    "Error codes",
    "`packages/contracts/src/error-codes.ts`",
    [
      "Every error over HTTP is a problem document (RFC 9457, `application/problem+json`) with `type`, `title`, `status`, `detail`,",
      "`code`, `request_id` and, for bad fields, `errors[]` of `{pointer, detail}`. `type` is `urn:soma:problem:` and the code in",
      "lower case with hyphens; on the paths of the OpenAI-compatible face it has OpenAI's shape, see [openai.md](openai.md). The same codes are the failure types inside Temporal and the `code` of ledger events.",
    ].join("\n"),
    [
      "`retry` says what to do with the same request: `backoff`, it may succeed later (a 503 carries `Retry-After`); `never`, it",
      "will not. A code that no HTTP answer carries (those of permits and models) shows in a session's `error` or `blocked_code`.",
    ].join("\n"),
    table(["code", "status", "retry", "title"], rows),
  );
}
