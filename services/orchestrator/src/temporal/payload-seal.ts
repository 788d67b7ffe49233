import type { Payload } from "@temporalio/common";
import proto from "@temporalio/proto";
import { seal, unseal } from "@soma/kit/seal";
import type { ContentKey } from "../contents/content-keys.ts";

const encryptedEncoding = "binary/encrypted";
const metadataNames = { encoding: "encoding", keyId: "encryption-key-id", workflowId: "soma-workflow-id" } as const;
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** Where a payload belongs; encrypted for one place it opens at no other. */
export interface PayloadPlace {
  readonly namespace: string;
  readonly workflowId: string;
}

/** What an encrypted payload says of itself. */
export interface SealedMark {
  readonly keyId: string;
  readonly workflowId: string;
}

/** Encrypts a payload whole, its metadata included; what stays readable is the key's id and the workflow's. */
export function sealPayload(place: PayloadPlace, { keyId, key }: ContentKey, payload: Payload): Payload {
  const plain = PayloadMessage.encode(payload).finish();
  return {
    metadata: {
      [metadataNames.encoding]: Buffer.from(encryptedEncoding),
      [metadataNames.keyId]: Buffer.from(keyId),
      [metadataNames.workflowId]: Buffer.from(place.workflowId),
    },
    data: seal(key, placeOf(place, keyId), plain),
  };
}

/** Undefined for a payload that is not encrypted by us. */
export function readMark({ metadata }: Payload): SealedMark | undefined {
  const read = (name: string): string | undefined => {
    const bytes = metadata?.[name];
    return bytes && Buffer.from(bytes).toString("utf8");
  };
  const keyId = read(metadataNames.keyId);
  const workflowId = read(metadataNames.workflowId);
  if (read(metadataNames.encoding) !== encryptedEncoding || keyId === undefined || workflowId === undefined)
    return undefined;
  return { keyId, workflowId };
}

/** @throws Error when another key sealed it, or for another place, or it was changed */
export function unsealPayload(place: PayloadPlace, { keyId, key }: ContentKey, payload: Payload): Payload {
  return PayloadMessage.decode(unseal(key, placeOf(place, keyId), payload.data ?? Buffer.alloc(0)));
}

function placeOf({ namespace, workflowId }: PayloadPlace, keyId: string): string[] {
  return ["soma/payload/v1", namespace, workflowId, keyId];
}
