import { errors, type ErrorCode } from "@soma/contracts/error-codes";
import type { FieldError, Problem } from "@soma/contracts/problem";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { DomainError } from "./domain-error.ts";

/** What Fastify's own errors mean in our closed set, with the words for the caller. */
const transportErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["UNSUPPORTED_MEDIA_TYPE", "Send the body with content-type: application/json."],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["INVALID_JSON", "The body is empty; send a JSON object."],
  FST_ERR_CTP_INVALID_JSON_BODY: [
    "INVALID_JSON",
    "The body cannot be parsed as JSON, or holds a key that is not allowed (__proto__, constructor).",
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ["PAYLOAD_TOO_LARGE", "The body is larger than this route accepts."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["VALIDATION_FAILED", "The content-length header does not fit the body."],
  FST_ERR_MAX_PARAM_LENGTH: ["URI_TOO_LONG", "A part of the path is longer than any id can be."],
  FST_ERR_BAD_URL: ["VALIDATION_FAILED", "The path cannot be decoded."],
};

/** Any error as one of ours: what is not known is INTERNAL and says nothing of itself. `schemas` are those of the route. */
export function toDomainError(error: unknown, schemas?: unknown): DomainError {
  if (error instanceof DomainError) return error;
  if (!(error instanceof Error)) return new DomainError("INTERNAL", "The service failed.");
  if (isFastifyError(error)) {
    if (error.validation) return validationError(error, schemas);
    const known = transportErrors[error.code];
    if (known) return new DomainError(known[0], known[1], { cause: error });
    // secure-json-parse throws a plain SyntaxError with status 400 for forbidden keys and broken JSON.
    if (error.statusCode === 400)
      return new DomainError(
        "INVALID_JSON",
        "The body cannot be parsed as JSON, or holds a key that is not allowed (__proto__, constructor).",
      );
  }
  return new DomainError("INTERNAL", "The service failed; the log has the reason under this request id.", {
    cause: error,
  });
}

/** Answers with `application/problem+json`. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: DomainError): FastifyReply {
  const { status } = errors[error.code];
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
  if (status === 401) reply.header("www-authenticate", "Bearer");
  return reply
    .code(status)
    .type("application/problem+json")
    .send(JSON.stringify(problemOf(error, request.id)));
}

/** The problem document of an error. */
export function problemOf(error: DomainError, requestId: string): Problem {
  const { status, title } = errors[error.code];
  return {
    type: `urn:soma:problem:${error.code.toLowerCase().replaceAll("_", "-")}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    request_id: requestId,
    ...(error.fields.length > 0 && { errors: [...error.fields] }),
  };
}

function isFastifyError(error: Error): error is FastifyError {
  return "statusCode" in error || "validation" in error || "code" in error;
}

function validationError(error: FastifyError, schemas: unknown): DomainError {
  const place = error.validationContext ?? "body";
  const prefix = place === "body" ? "" : `/${place}`;
  const fields = (error.validation ?? []).flatMap((issue) => describeIssue(prefix, issue, member(schemas, place)));
  const unique = [...new Map(fields.map((field) => [`${field.pointer} ${field.detail}`, field])).values()].slice(0, 20);
  const first = unique[0];
  const detail = first
    ? `${first.pointer === "" ? "The body" : first.pointer}: ${first.detail}.`
    : "The request does not fit its schema.";
  return new DomainError("VALIDATION_FAILED", detail, { fields: unique });
}

type Issue = NonNullable<FastifyError["validation"]>[number];

/** Names each field itself: a missing or unknown member is reported at the member, not at the object around it. */
function describeIssue(prefix: string, issue: Issue, schema: unknown): FieldError[] {
  const at = (name?: string): string =>
    `${prefix}${issue.instancePath}${name === undefined ? "" : `/${escapePointer(name)}`}`;
  const named = (key: string): string[] => {
    const value: unknown = issue.params[key];
    return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
  };
  switch (issue.keyword) {
    case "required":
      return named("requiredProperties")
        .concat(named("missingProperty"))
        .map((name) => ({ pointer: at(name), detail: "is required" }));
    case "additionalProperties":
      return named("additionalProperties")
        .concat(named("additionalProperty"))
        .map((name) => ({ pointer: at(name.slice(0, 64)), detail: "is not a known field" }));
    // The `false` schema behind additionalProperties and the members of a union repeat what another issue says better.
    case "boolean":
      return [];
    case "enum":
      return [{ pointer: at(), detail: `must be one of ${named("allowedValues").join(", ")}` }];
    case "pattern":
      return [{ pointer: at(), detail: describeAt(schema, issue.schemaPath) ?? issue.message ?? "does not fit" }];
    default:
      return [{ pointer: at(), detail: issue.message ?? "does not fit its schema" }];
  }
}

/** The words of the schema say what is accepted better than its regular expression does. */
function describeAt(schema: unknown, schemaPath: string): string | undefined {
  const names = schemaPath.replace(/^#?\//, "").split("/");
  const words = member(names.reduce(member, schema), "description");
  return typeof words === "string" ? `accepted: ${words.replace(/\.$/, "")}` : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
