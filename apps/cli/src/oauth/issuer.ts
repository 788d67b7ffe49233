import { CliError } from "../exit-codes.ts";

/** What is needed of an issuer's metadata (OpenID Connect Discovery 1.0, section 3). */
interface IssuerMetadata {
  readonly token_endpoint: string;
  readonly device_authorization_endpoint?: string;
}

const withinMs = 10_000;

/** Reads an issuer's metadata. @throws CliError when it is not there, or is another issuer's. */
export async function discover(issuer: string): Promise<IssuerMetadata> {
  assertSafe(issuer);
  const { body } = await ask(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, {});
  const { issuer: named, token_endpoint: token, device_authorization_endpoint: device } = body;
  if (named !== issuer || typeof token !== "string")
    throw new CliError("failure", `${issuer} does not describe itself as an issuer.`, "give --issuer to the letter");
  assertSafe(token);
  if (typeof device !== "string") return { token_endpoint: token };
  assertSafe(device);
  return { token_endpoint: token, device_authorization_endpoint: device };
}

/** Sends a form and gives the JSON of the answer, whatever its status. @throws CliError without one. */
export function postForm(url: string, form: Readonly<Record<string, string>>) {
  return ask(url, { method: "POST", body: new URLSearchParams(form) });
}

async function ask(url: string, init: RequestInit): Promise<{ readonly body: Readonly<Record<string, unknown>> }> {
  try {
    const answer = await fetch(url, {
      ...init,
      headers: { accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(withinMs),
    });
    const body: unknown = JSON.parse(await answer.text());
    if (typeof body === "object" && body !== null) return { body: { ...body } };
  } catch {
    // Said below: what came may be anything.
  }
  throw new CliError("unavailable", `${new URL(url).origin} gave no answer that an issuer gives.`);
}

/** Codes and tokens go over https, or stay on this machine. */
function assertSafe(url: string): void {
  if (!/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/.test(url) || !URL.canParse(url))
    throw new CliError("usage", "An issuer's addresses are https, or http on this machine.");
}
