interface Payload {
  metadata: Record<string, string>;
  data?: string;
}

const encrypted = Buffer.from("binary/encrypted").toString("base64");

/** Every encrypted payload in a history, as JSON of any form. */
export function encryptedPayloads(history: unknown): Payload[] {
  if (typeof history !== "object" || history === null) return [];
  if (isPayload(history) && history.metadata["encoding"] === encrypted) return [history];
  return Object.values(history).flatMap(encryptedPayloads);
}

/** Decrypts a history in place by a codec server, as Temporal's UI does. @throws Error when a payload stays closed. */
export async function decodeHistory(codecUrl: string, history: unknown): Promise<void> {
  const payloads = encryptedPayloads(history);
  const answer = await fetch(`${codecUrl}/decode`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-namespace": "default" },
    body: JSON.stringify({ payloads }),
  });
  const decoded: { payloads: Payload[] } = JSON.parse(await answer.text());
  for (const [place, payload] of payloads.entries()) {
    const opened = decoded.payloads[place];
    if (opened?.metadata["encoding"] === encrypted || !opened) throw new Error("a payload stayed closed");
    payload.metadata = opened.metadata;
    if (opened.data === undefined) delete payload.data;
    else payload.data = opened.data;
  }
}

/** Every text of a history, those inside payloads included. */
export function textsOf(history: unknown): string[] {
  if (typeof history === "string") return [history, Buffer.from(history, "base64").toString("utf8")];
  return typeof history === "object" && history !== null ? Object.values(history).flatMap(textsOf) : [];
}

function isPayload(value: object): value is Payload {
  return "metadata" in value && typeof value.metadata === "object" && value.metadata !== null;
}
