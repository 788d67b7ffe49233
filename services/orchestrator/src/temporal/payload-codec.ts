import type { Payload, PayloadCodec } from "@temporalio/common";
import type { SerializationContext } from "@temporalio/common";
import { DomainError } from "@soma/kit/domain-error";
import type { ContentKeys } from "../contents/content-keys.ts";
import { failureMark } from "./failure-converter.ts";
import { readMark, sealPayload, unsealPayload, type SealedMark } from "./payload-seal.ts";
import type { SessionSubjects } from "./session-subjects.ts";

interface SessionCodecOptions {
  readonly namespace: string;
  readonly sessions: SessionSubjects;
  readonly keys: ContentKeys;
  /**
   * What is written for a workflow that the ledger does not know. A worker meets one whose session a Temporal client
   * started, before its first activity records it: plain, as its input is. The API never does: refused.
   */
  readonly unknown: "plain" | "refuse";
}

/**
 * Encrypts what goes to Temporal with the content key of the session's subject, and decrypts what comes back. Payloads
 * are bound to namespace and workflow. One that is not encrypted is read as it is: sessions that began before there was
 * encryption, and those of Temporal clients.
 */
export class SessionCodec implements PayloadCodec {
  readonly #options: SessionCodecOptions;

  constructor(options: SessionCodecOptions) {
    this.#options = options;
  }

  async encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    if (payloads.length === 0) return payloads;
    try {
      return await this.#encrypt(payloads, context);
    } catch (error) {
      // A failure must get through, or the worker itself fails: its type does, its words stay here.
      if (error instanceof DomainError && payloads.every(isFailure)) return payloads.map(() => withheld());
      throw error;
    }
  }

  decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        const mark = readMark(payload);
        return mark === undefined ? payload : this.#decrypt(payload, mark, context);
      }),
    );
  }

  async #encrypt(payloads: Payload[], context: SerializationContext | undefined): Promise<Payload[]> {
    const { namespace, sessions, keys, unknown } = this.#options;
    const workflowId = context?.workflowId;
    // The SDK names no workflow when a task fails before it has one; nothing else of ours lacks it.
    if (workflowId === undefined) throw unavailable("a payload without a workflow");
    const session = await sessions.find(workflowId);
    if (session === undefined && unknown === "refuse") throw unavailable("the ledger knows no such session");
    if (session === undefined || session.plain) return payloads;
    const key = await keys.newest(session);
    return payloads.map((payload) => sealPayload({ namespace, workflowId }, key, payload));
  }

  async #decrypt(
    payload: Payload,
    { keyId, workflowId }: SealedMark,
    context: SerializationContext | undefined,
  ): Promise<Payload> {
    const { namespace, sessions, keys } = this.#options;
    if (context?.workflowId !== undefined && context.workflowId !== workflowId)
      throw unreadable(new Error("the payload belongs to another workflow"));
    const session = await sessions.find(workflowId);
    if (session === undefined) throw unavailable("the ledger knows no such session");
    const key = await keys.byId(session.tenant, keyId);
    try {
      return unsealPayload({ namespace, workflowId }, key, payload);
    } catch (error) {
      throw unreadable(error);
    }
  }
}

function isFailure({ metadata }: Payload): boolean {
  return metadata?.[failureMark] !== undefined;
}

function withheld(): Payload {
  const words = { message: "The failure's text could not be encrypted and was left out.", stack_trace: "" };
  return { metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from(JSON.stringify(words)) };
}

function unavailable(reason: string): DomainError {
  return new DomainError("CONTENT_KEY_UNAVAILABLE", "The payload's key cannot be used at the moment.", {
    cause: new Error(reason),
  });
}

function unreadable(cause: unknown): DomainError {
  return new DomainError("CONTENT_UNREADABLE", "The payload was changed and cannot be decrypted.", { cause });
}
