import type { Payload } from "@temporalio/common";
import { Problem } from "@soma/contracts/problem";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import type { Authenticate } from "../access/authenticate.ts";
import { requireRole, requireScope } from "../access/principal.ts";
import type { CodecMetrics } from "./codec-metrics.ts";
import { decodePayloads, type DecodeDeps } from "./decode-payloads.ts";

export interface CodecDeps extends DecodeDeps {
  readonly log: Logger;
  readonly metrics: CodecMetrics;
  readonly namespace: string;
  readonly authenticate: Authenticate;
}

const base64 = Type.String({ maxLength: 12_000_000 });
/** A payload in the JSON form of protobuf: bytes are base64. Members that we do not know stay as they are. */
const JsonPayload = Type.Object({
  metadata: Type.Optional(Type.Record(Type.String(), base64)),
  data: Type.Optional(base64),
});
type JsonPayload = Type.Static<typeof JsonPayload>;
const Payloads = Type.Object({ payloads: Type.Array(JsonPayload, { maxItems: 5_000 }) });
const Headers = Type.Object({
  "x-namespace": Type.Optional(Type.String({ description: "Temporal namespace; the service's own unless given" })),
});
const problems = Object.fromEntries([400, 401, 403, 413, 415, 503].map((status) => [status, Problem]));

/** `POST /decode` and `POST /encode` as Temporal's UI and CLI ask a remote codec (https://docs.temporal.io/codec-server). */
export function addCodecRoutes(app: Server, deps: CodecDeps): void {
  app.post(
    "/decode",
    {
      schema: {
        summary: "Decrypt payloads of the caller's tenant",
        tags: ["codec"],
        headers: Headers,
        body: Payloads,
        response: { 200: Payloads, ...problems },
      },
    },
    async (request) => {
      const caller = await deps.authenticate(request);
      requireScope(caller, "session.read");
      // An auditor checks digests and reads no texts; an approver sees what is asked of him where he approves.
      requireRole(caller, ["operator", "admin"]);
      const tenant = caller.authn === "token" ? caller.tenant : undefined;
      const namespace = request.headers["x-namespace"] ?? deps.namespace;
      const { payloads, opened, closed } = await decodePayloads(
        deps,
        tenant,
        namespace,
        request.body.payloads.map(fromJson),
      );
      deps.metrics.payloads.inc({ outcome: "opened" }, opened);
      deps.metrics.payloads.inc({ outcome: "closed" }, closed);
      const outcome = closed === 0 ? "opened" : opened === 0 ? "none" : "partly";
      deps.metrics.requests.inc({ outcome });
      deps.log.info({ request_id: request.id, ...(tenant && { tenant }), count: opened, outcome }, "payloads decoded");
      return { payloads: payloads.map(toJson) };
    },
  );
  app.post("/encode", { schema: { summary: "Refused", tags: ["codec"], response: problems } }, () => {
    throw new DomainError(
      "FORBIDDEN",
      "This server decodes and does not encode; start sessions by the API, or with a plain input.",
    );
  });
}

function fromJson({ metadata = {}, data }: JsonPayload): Payload {
  const bytes = Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, "base64")] as const);
  return { metadata: Object.fromEntries(bytes), ...(data !== undefined && { data: Buffer.from(data, "base64") }) };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const texts = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]);
  return {
    metadata: Object.fromEntries(texts),
    ...(data !== null && data !== undefined && { data: Buffer.from(data).toString("base64") }),
  };
}
