import type { Payload } from "@temporalio/common";
import { DomainError } from "@soma/kit/domain-error";
import type { TenantId } from "@soma/contracts/ids";
import type { ContentKeys } from "../contents/content-keys.ts";
import { readMark, unsealPayload } from "../temporal/payload-seal.ts";
import type { SessionSubjects } from "../temporal/session-subjects.ts";

export interface DecodeDeps {
  readonly sessions: SessionSubjects;
  readonly keys: ContentKeys;
}

export interface Decoded {
  readonly payloads: Payload[];
  /** Encrypted payloads that were opened, and that were not. */
  readonly opened: number;
  readonly closed: number;
}

/**
 * Opens the payloads that belong to the tenant, or with no tenant (on loopback) all. One of another tenant, an erased
 * one, one that was changed and one that is not ours come back as they are: the caller cannot tell them apart.
 *
 * @throws DomainError AUDIT_UNAVAILABLE
 */
export async function decodePayloads(
  deps: DecodeDeps,
  tenant: TenantId | undefined,
  namespace: string,
  payloads: readonly Payload[],
): Promise<Decoded> {
  const results = await Promise.all(payloads.map((payload) => open(deps, tenant, namespace, payload)));
  return {
    payloads: results.map((result, place) => result ?? payloads[place] ?? {}),
    opened: results.filter((result) => result !== undefined).length,
    closed: results.filter((result, place) => result === undefined && readMark(payloads[place] ?? {})).length,
  };
}

async function open(
  { sessions, keys }: DecodeDeps,
  tenant: TenantId | undefined,
  namespace: string,
  payload: Payload,
): Promise<Payload | undefined> {
  const mark = readMark(payload);
  if (mark === undefined) return undefined;
  const session = await sessions.find(mark.workflowId);
  if (session === undefined || (tenant !== undefined && session.tenant !== tenant)) return undefined;
  try {
    const key = await keys.byId(session.tenant, mark.keyId);
    return unsealPayload({ namespace, workflowId: mark.workflowId }, key, payload);
  } catch (error) {
    if (error instanceof DomainError && error.code === "AUDIT_UNAVAILABLE") throw error;
    return undefined;
  }
}
