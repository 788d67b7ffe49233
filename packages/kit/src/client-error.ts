import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { errors, type ErrorCode } from "@soma/contracts/error-codes";
import { DomainError } from "./domain-error.ts";
import { problemOf } from "./problem-response.ts";

/** What Node's own HTTP parser and clock refuse (https://nodejs.org/api/http.html#event-clienterror). */
const parserErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["REQUEST_TIMEOUT", "The request did not arrive in time; send it again."],
  HPE_HEADER_OVERFLOW: ["HEADERS_TOO_LARGE", "The headers are larger than 16 KiB in all."],
};

/**
 * Answers bytes that are no request: there is no route, no hook and no reply yet, so the problem is written by hand and
 * the connection ends. Returns the code that was sent, or nothing when nobody is there to read it.
 */
export function answerClientError(error: Error, socket: Socket): ErrorCode | undefined {
  if (!socket.writable) {
    socket.destroy();
    return undefined;
  }
  const reason = String(Reflect.get(error, "code"));
  const [code, detail] = parserErrors[reason] ?? ["VALIDATION_FAILED", "The request is not valid HTTP/1.1."];
  const requestId = randomUUID();
  const body = JSON.stringify(problemOf(new DomainError(code, detail), requestId));
  const { status } = errors[code];
  socket.end(
    `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${String(Buffer.byteLength(body))}\r\nx-request-id: ${requestId}\r\nconnection: close\r\n\r\n${body}`,
  );
  return code;
}
