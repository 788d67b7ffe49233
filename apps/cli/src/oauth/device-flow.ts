import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../exit-codes.ts";
import { discover, postForm } from "./issuer.ts";

export interface DeviceLogin {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** Audience of the token (RFC 8707). */
  readonly resource?: string;
}

const grantType = "urn:ietf:params:oauth:grant-type:device_code";

/**
 * OAuth 2.0 device authorization (RFC 8628): `show` says where the user goes and with which code; the answer is the
 * issuer's access token. Waits for as long as the issuer keeps the code. @throws CliError.
 */
export async function logInWithDevice(
  { issuer, clientId, scope, resource }: DeviceLogin,
  show: (where: { readonly url: string; readonly code: string }) => void,
): Promise<string> {
  const { token_endpoint: tokenEndpoint, device_authorization_endpoint: deviceEndpoint } = await discover(issuer);
  if (deviceEndpoint === undefined)
    throw new CliError("failure", `${issuer} has no device login.`, "soma login --token");
  const asked = { client_id: clientId, ...(resource !== undefined && { resource }) };
  const begun = await postForm(deviceEndpoint, { ...asked, scope });
  const { device_code: deviceCode, user_code: code, verification_uri: url, expires_in: expiresIn } = begun.body;
  if (typeof deviceCode !== "string" || typeof code !== "string" || typeof url !== "string")
    throw refused(issuer, begun.body["error"]);
  show({ url, code });
  const deadline = Date.now() + (typeof expiresIn === "number" ? expiresIn : 600) * 1000;
  let intervalMs = (typeof begun.body["interval"] === "number" ? begun.body["interval"] : 5) * 1000;
  while (Date.now() < deadline) {
    await sleep(intervalMs);
    const { body } = await postForm(tokenEndpoint, { ...asked, grant_type: grantType, device_code: deviceCode });
    if (typeof body["access_token"] === "string") return body["access_token"];
    // RFC 8628, section 3.5: five seconds more from now on.
    if (body["error"] === "slow_down") intervalMs += 5_000;
    else if (body["error"] !== "authorization_pending") throw refused(issuer, body["error"]);
  }
  throw new CliError("notAllowed", "The code was not used in time.");
}

function refused(issuer: string, error: unknown): CliError {
  // An OAuth error is a short name of a closed set; anything else is not repeated.
  const name = typeof error === "string" && /^[a-z_]{1,64}$/.test(error) ? ` (${error})` : "";
  return new CliError("notAllowed", `${issuer} refused the login${name}.`);
}
