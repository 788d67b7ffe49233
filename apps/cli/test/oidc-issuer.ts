import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import type { Owner } from "../../../tests/harness/service-process.ts";

export const clientId = "soma-cli";
export const resource = "https://soma.example/api";

/** A real issuer, `oidc-provider`, on a port of its own, that lets a command line log in by device code. */
export async function startIssuer(owner: Owner): Promise<string> {
  const server = createServer((request, response) => void provider.callback()(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const issuer = `http://127.0.0.1:${String(address.port)}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    cookies: { keys: [randomBytes(32).toString("hex")] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    features: {
      deviceFlow: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, audience) => ({
          scope: "use",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: 120,
        }),
      },
    },
  });
  owner.after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return issuer;
}

/** Goes through the issuer's own pages as a person with a browser does: enters the code, logs in, agrees. */
export async function approve(url: string, code: string, user: string): Promise<void> {
  const cookies = new Map<string, string>();
  let page = await open(new URL(url), cookies);
  for (let step = 0; page.html.includes("<form"); step += 1) {
    if (step > 8) throw new Error(`the issuer's pages do not end: ${page.html}`);
    const [, action = page.url.href] = /<form[^>]* action="([^"]+)"/.exec(page.html) ?? [];
    const form = new URLSearchParams({ user_code: code, login: user, password: "any" });
    for (const [input] of page.html.matchAll(/<input[^>]*>/g)) {
      const [, name] = /name="([^"]+)"/.exec(input) ?? [];
      const [, value] = /value="([^"]*)"/.exec(input) ?? [];
      if (name !== undefined && value !== undefined && value !== "") form.set(name, value);
    }
    page = await open(new URL(action, page.url), cookies, form);
  }
}

async function open(
  url: URL,
  cookies: Map<string, string>,
  form?: URLSearchParams,
): Promise<{ readonly url: URL; readonly html: string }> {
  const answer = await fetch(url, {
    ...(form && { method: "POST", body: form }),
    redirect: "manual",
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
  });
  for (const line of answer.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    cookies.set(name, value);
  }
  const location = answer.headers.get("location");
  if (location !== null) return open(new URL(location, url), cookies);
  return { url, html: await answer.text() };
}
