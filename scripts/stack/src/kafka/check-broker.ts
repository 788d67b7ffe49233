import { once } from "node:events";
import { connect } from "node:net";

const apiVersions = 18;
const correlationId = 1;

/**
 * Undefined when a broker answers there, else what is missing. It is asked for its API versions, the one question that
 * a broker answers to anybody in any version; a port that is open proves nothing. Only for a listener without TLS.
 * Source: the Kafka protocol guide, request header version 1 and ApiVersions version 0.
 */
export async function checkBroker(port: number, signal: AbortSignal): Promise<string | undefined> {
  const where = `127.0.0.1:${String(port)}`;
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect", { signal });
    socket.write(askForVersions());
    const answered: unknown[] = await once(socket, "data", { signal });
    const answer = answered[0];
    const isAnswer = Buffer.isBuffer(answer) && answer.length >= 10 && answer.readInt32BE(4) === correlationId;
    return isAnswer && answer.readInt16BE(8) === 0 ? undefined : `what answers at ${where} is not a Kafka broker`;
  } catch {
    return `no Kafka broker answers at ${where}`;
  } finally {
    socket.destroy();
  }
}

function askForVersions(): Buffer {
  const client = Buffer.from("soma-stack");
  const message = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length);
  message.writeInt32BE(message.length - 4, 0);
  message.writeInt16BE(apiVersions, 4);
  message.writeInt16BE(0, 6);
  message.writeInt32BE(correlationId, 8);
  message.writeInt16BE(client.length, 12);
  client.copy(message, 14);
  return message;
}
