import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { request } from "undici";
import { readField, readList, readText } from "./json-fields.ts";

/** Undefined when something takes connections there, else what is missing. */
export async function checkConnect(
  target: { readonly port: number; readonly host: string } | { readonly path: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const socket = connect(target);
  try {
    await once(socket, "connect", { signal });
    return undefined;
  } catch {
    const where = "path" in target ? target.path : `${target.host}:${String(target.port)}`;
    return `nothing takes connections at ${where}`;
  } finally {
    socket.destroy();
  }
}

/** Undefined when GET answers 200, else the status or what the answer says is missing. */
export async function checkHttp(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { statusCode, body } = await request(url, { signal, headersTimeout: 2000, bodyTimeout: 2000 });
    const text = await body.text();
    return statusCode === 200 ? undefined : `${url} answers ${String(statusCode)}${describeMissing(text)}`;
  } catch {
    return `${url} does not answer`;
  }
}

/** Reads the `missing` of a service's `/ready`, if the answer has one. */
function describeMissing(text: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    const names = readList(answer, "missing").map((entry) => {
      const address = readField(entry, "address");
      return readText(entry, "name") + (typeof address === "string" ? ` at ${address}` : "");
    });
    return `, missing: ${names.join(", ")}`;
  } catch {
    return "";
  }
}

/** Runs a command for its answer: its standard output, or undefined when it failed. */
export async function askCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { env, signal, timeout: 5000, killSignal: "SIGKILL" }, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}
