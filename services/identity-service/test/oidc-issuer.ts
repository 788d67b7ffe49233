import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { TestContext } from "node:test";
import { Provider, type Configuration } from "oidc-provider";

export const api = "https://soma.example/api";
const redirectUri = "https://client.example/back";
const machine = { client_id: "batch", client_secret: "batch-secret-of-this-test-run-alone" };
const app = { client_id: "app", client_secret: "app-secret-of-this-test-run-alone" };

type Algorithm = "RS256" | "PS256" | "ES256" | "EdDSA";
const makers = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2_048 }),
  PS256: () => generateKeyPairSync("rsa", { modulusLength: 2_048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};

function newKey(alg: Algorithm) {
  const { privateKey } = makers[alg]();
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: `${alg}-${randomBytes(6).toString("hex")}` };
}

/** What the issuer says of a person or program besides who it is. */
export interface SaidOf {
  readonly [subject: string]: Readonly<Record<string, unknown>>;
}

function configure(alg: Algorithm, said: SaidOf): Configuration {
  return {
    jwks: { keys: [newKey(alg)] },
    clients: [
      { ...machine, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
      { ...app, grant_types: ["authorization_code"], redirect_uris: [redirectUri], id_token_signed_response_alg: alg },
    ],
    clientDefaults: { id_token_signed_response_alg: alg },
    enabledJWA: { idTokenSigningAlgValues: [alg] },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    extraTokenClaims: (_context, token) => said["accountId" in token ? token.accountId : (token.clientId ?? "")] ?? {},
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          scope: "use",
          audience: resource,
          accessTokenFormat: "jwt",
          accessTokenTTL: 120,
          jwt: { sign: { alg } },
        }),
      },
    },
  };
}

/**
 * A real issuer, `oidc-provider`, on a port of its own. Its keys can change and it can be away; everything that it
 * signs it signs because somebody went the way to it that its protocol has.
 */
export async function startIssuer(t: TestContext, alg: Algorithm = "RS256", said: SaidOf = {}) {
  let handle: ReturnType<Provider["callback"]>;
  let keyRequests = 0;
  const server = createServer((request, response) => {
    if (request.url === "/jwks") keyRequests += 1;
    void handle(request, response);
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the issuer has no port");
  const { port } = address;
  const issuer = `http://127.0.0.1:${String(port)}`;
  const rotate = (): void => {
    handle = new Provider(issuer, configure(alg, said)).callback();
  };
  rotate();
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  t.after(stop);

  const ask = async (client: typeof app, parameters: Record<string, string>) => {
    const authorization = `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString("base64")}`;
    const body = new URLSearchParams(parameters);
    const answer = await fetch(`${issuer}/token`, { method: "POST", headers: { authorization }, body });
    const tokens: { access_token: string; id_token?: string } = JSON.parse(await answer.text());
    if (answer.status !== 200) throw new Error(JSON.stringify(tokens));
    return tokens;
  };

  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    keyRequests: () => keyRequests,
    /** New keys and none of the old ones. */
    rotate,
    stop,
    restart: () => listen(port),
    /** An access token for a program, by its own credentials. */
    machineToken: async (resource = api): Promise<string> =>
      (await ask(machine, { grant_type: "client_credentials", scope: "use", resource })).access_token,
    /** Access and id token of a person who logged in and agreed, by the authorization code flow with PKCE. */
    personTokens: async (person: string, resource = api) => {
      const verifier = randomBytes(32).toString("base64url");
      const code = await authorize(issuer, person, {
        client_id: app.client_id,
        redirect_uri: redirectUri,
        response_type: "code",
        scope: "openid use",
        resource,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
      });
      const grant = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier };
      const { access_token: access, id_token: id } = await ask(app, { ...grant, resource });
      if (id === undefined) throw new Error("no id token");
      return { access, id };
    },
  };
}

/** Goes the way of a browser: to the issuer, through its pages for login and consent, and back with a code. */
async function authorize(issuer: string, person: string, parameters: Record<string, string>): Promise<string> {
  const cookies = new Map<string, string>();
  let url = new URL(`/auth?${new URLSearchParams(parameters).toString()}`, issuer);
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 12; step += 1) {
    const answer = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form !== undefined && { method: "POST", body: form }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location !== null) {
      url = new URL(location, issuer);
      form = undefined;
      const code = url.searchParams.get("code");
      if (url.href.startsWith(redirectUri) && code !== null) return code;
    } else if (url.pathname.startsWith("/interaction/")) {
      const prompt = /name="prompt" value="(\w+)"/.exec(await answer.text())?.[1] ?? "";
      form = new URLSearchParams({ prompt, login: person, password: "any, the issuer's demo pages ask for none" });
    } else throw new Error(`the issuer answered ${String(answer.status)} at ${url.pathname}`);
  }
  throw new Error("the issuer went on and on");
}
