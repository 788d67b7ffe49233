import {
  SessionIdSchema,
  TenantIdSchema,
  UserIdSchema,
  type SessionId,
  type TenantId,
  type UserId,
} from "@soma/contracts/ids";
import type { FieldError } from "@soma/contracts/problem";
import type { Budget } from "@soma/contracts/budget";
import {
  defaultIdleSeconds,
  StartSessionRequest,
  startLimits,
  type ChatMessage,
  type Sampling,
} from "@soma/contracts/session";
import { canonicalJson } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import { assertDepth } from "@soma/kit/json-depth";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { promptText, type Asked } from "./session-prompt.ts";

/** A session as it is asked for, checked: the same shape from the API and from a Temporal client. */
export interface SessionInput {
  readonly session_id: SessionId;
  readonly tenant: TenantId;
  readonly user: UserId;
  /** This or messages. */
  readonly prompt?: string;
  readonly messages?: ChatMessage[];
  readonly sampling?: Sampling;
  readonly model?: string;
  /** Absent: ends with its answer. */
  readonly mode?: "interactive";
  readonly idle_seconds?: number;
  readonly budget?: Budget;
  /** Recalls before each answer and remembers after it. */
  readonly memory?: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const WorkflowInput = Type.Object({
  session_id: SessionIdSchema,
  tenant: TenantIdSchema,
  user: UserIdSchema,
  prompt: StartSessionRequest.properties.prompt,
  messages: StartSessionRequest.properties.messages,
  sampling: StartSessionRequest.properties.sampling,
  model: StartSessionRequest.properties.model,
  mode: StartSessionRequest.properties.mode,
  idle_seconds: StartSessionRequest.properties.idle_seconds,
  budget: StartSessionRequest.properties.budget,
  memory: Type.Optional(Type.Boolean()),
  metadata: StartSessionRequest.properties.metadata,
});

/** Reads a workflow's input, which any Temporal client may have written. @throws DomainError VALIDATION_FAILED. */
export function readSessionInput(input: unknown): SessionInput {
  if (!Value.Check(WorkflowInput, input)) {
    const fields = [...Value.Errors(WorkflowInput, input)].map((issue) => ({
      pointer: issue.instancePath,
      detail: issue.message,
    }));
    throw new DomainError(
      "VALIDATION_FAILED",
      `The workflow's input does not fit: ${fields.map(({ pointer, detail }) => `${pointer} ${detail}`).join("; ")}.`,
      { fields },
    );
  }
  const metadata = input.metadata ?? {};
  assertMetadata(metadata);
  return {
    session_id: input.session_id,
    tenant: input.tenant,
    user: input.user,
    ...readPrompt(input),
    ...(input.model !== undefined && { model: input.model }),
    ...readMode(input),
    metadata,
  };
}

/** How the session runs, beside what it is asked. @throws DomainError VALIDATION_FAILED. */
export function readMode({
  mode,
  idle_seconds,
  budget,
}: Pick<StartSessionRequest, "mode" | "idle_seconds" | "budget">): Pick<
  SessionInput,
  "mode" | "idle_seconds" | "budget"
> {
  if (idle_seconds !== undefined && mode !== "interactive")
    return refuse("/idle_seconds", "is accepted with mode: interactive only");
  return {
    ...(mode === "interactive" && { mode, idle_seconds: idle_seconds ?? defaultIdleSeconds }),
    ...(budget !== undefined && { budget }),
  };
}

/** Exactly one kind of prompt, within its bounds. @throws DomainError VALIDATION_FAILED. */
export function readPrompt({ prompt, messages, sampling }: Asked): Asked {
  if (prompt === undefined && messages === undefined) return refuse("/prompt", "is required");
  if (prompt !== undefined && messages !== undefined)
    return refuse("/messages", "cannot stand beside prompt; send one of them");
  if (messages === undefined) {
    if (sampling !== undefined) return refuse("/sampling", "is accepted with messages only");
    assertText("/prompt", prompt ?? "");
    assertSize("/prompt", prompt ?? "");
    return { ...(prompt !== undefined && { prompt }) };
  }
  for (const [index, { content }] of messages.entries()) assertText(`/messages/${String(index)}/content`, content);
  for (const stop of sampling?.stop ?? []) assertText("/sampling/stop", stop);
  if (messages.every(({ content }) => content === "")) return refuse("/messages", "hold no text");
  const asked = { messages, ...(sampling !== undefined && { sampling }) };
  assertSize("/messages", promptText(asked).text);
  return asked;
}

/** @throws DomainError VALIDATION_FAILED for a text that has no UTF-8 form */
export function assertText(pointer: string, text: string): void {
  if (!text.isWellFormed()) refuse(pointer, "holds half a surrogate pair; send valid Unicode");
}

/** The schema counts characters; the limit is of bytes. @throws DomainError VALIDATION_FAILED */
export function assertSize(pointer: string, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > startLimits.promptBytes)
    refuse(pointer, `is ${String(bytes)} bytes; at most ${String(startLimits.promptBytes)} are accepted`);
}

/** Bounds of metadata beyond its schema: size, keys, depth, and the members that have a meaning. */
export function assertMetadata(metadata: Readonly<Record<string, unknown>>): void {
  const keys = Object.keys(metadata).length;
  if (keys > startLimits.metadataKeys)
    refuse("/metadata", `has ${String(keys)} keys; at most ${String(startLimits.metadataKeys)} are accepted`);
  assertDepth(metadata, startLimits.depth, "/metadata");
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes > startLimits.metadataBytes)
    refuse("/metadata", `is ${String(bytes)} bytes as JSON; at most ${String(startLimits.metadataBytes)} are accepted`);
  if (!isCanonical(metadata))
    refuse("/metadata", "holds half a surrogate pair or a number out of range; send valid JSON");
  labelsOf(metadata);
  capsuleOf(metadata);
}

/** RFC 8785 takes only texts that are valid Unicode and numbers that are finite. */
function isCanonical(value: unknown): boolean {
  try {
    canonicalJson(value);
    return true;
  } catch {
    return false;
  }
}

const Labels = Type.Array(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._/:=-]{0,63}$" }), {
  maxItems: startLimits.labels,
  uniqueItems: true,
});
const Capsule = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$" });

/** `metadata.labels`: what `GET /v1/sessions?label=` finds the session by. */
export function labelsOf(metadata: Readonly<Record<string, unknown>>): string[] {
  const labels: unknown = metadata["labels"] ?? [];
  if (!Value.Check(Labels, labels))
    return refuse(
      "/metadata/labels",
      "must be at most 16 different texts of letters, digits and ._/:=-, each at most 64 long",
    );
  return labels;
}

/** `metadata.capsule`: the capsule that the session is of. */
export function capsuleOf(metadata: Readonly<Record<string, unknown>>): string | undefined {
  const capsule: unknown = metadata["capsule"];
  if (capsule === undefined) return undefined;
  if (!Value.Check(Capsule, capsule))
    return refuse("/metadata/capsule", "must be a text of letters, digits and ._@-, at most 128 long");
  return capsule;
}

/** Refuses a request for one field. */
export function refuse(pointer: string, detail: string): never {
  const fields: FieldError[] = [{ pointer, detail }];
  throw new DomainError("VALIDATION_FAILED", `${pointer} ${detail}.`, { fields });
}
