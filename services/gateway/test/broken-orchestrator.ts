import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { startIdentityService, type IdentityService } from "../../orchestrator/test/harness/real-services.ts";
import { startGateway, temporaryDataDir, type RealGateway } from "./real-gateway.ts";

interface BrokenDoor extends AsyncDisposable {
  readonly identity: IdentityService;
  readonly gateway: RealGateway;
  readonly token: string;
  request(path: string, init?: RequestInit): Promise<Response>;
}

/**
 * A real gateway and a real identity service, with a server in the orchestrator's place that fails as the test says: for
 * failures only. What the gateway asks on its own account gets a 404.
 */
export async function openBrokenDoor(
  fail: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<BrokenDoor> {
  const server = createServer((request, response) => {
    if (/^\/(v1\/sessions|openapi\.json)/.test(request.url ?? "")) fail(request, response);
    else response.writeHead(request.url === "/health" ? 200 : 404, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const door = await openDoorTo(`http://127.0.0.1:${String(address.port)}`);
  return {
    ...door,
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The same with whatever is, or is not, at this address. */
export async function openDoorTo(orchestratorUrl: string): Promise<BrokenDoor> {
  const dataDir = temporaryDataDir();
  const identity = await startIdentityService();
  const gateway = await startGateway({
    ORCHESTRATOR_URL: orchestratorUrl,
    IDENTITY_SERVICE_URL: identity.url.origin,
    IDENTITY_CREDENTIAL_FILE: join(identity.credentialsDir, "gateway"),
    DATA_DIR: dataDir.path,
  });
  const token = await identity.login({
    user_id: "user-demo",
    tenant_id: "tenant-demo",
    capabilities: ["session.start", "session.read"],
  });
  return {
    identity,
    gateway,
    token,
    request: (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${token}`);
      return fetch(gateway.url + path, { ...init, headers });
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await identity[Symbol.asyncDispose]();
      dataDir[Symbol.dispose]();
    },
  };
}
