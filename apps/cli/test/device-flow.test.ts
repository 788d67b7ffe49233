import assert from "node:assert/strict";
import { after, test } from "node:test";
import { json, startScriptedServer } from "../../../packages/kit/test/scripted-server.ts";
import { logInWithDevice } from "../src/oauth/device-flow.ts";
import { readToken } from "../src/profile/credential.ts";
import { approve, clientId, resource, startIssuer } from "./oidc-issuer.ts";

const issuer = await startIssuer({ after });

test("a person who enters the code at the issuer gets an access token for the resource", async () => {
  let approved: Promise<void> = Promise.resolve();
  const token = await logInWithDevice({ issuer, clientId, scope: "openid", resource }, ({ url, code }) => {
    approved = approve(url, code, "erika");
  });
  await approved;
  const notes = readToken(token);
  assert.equal(notes?.user, "erika");
  const claims: { aud: string; client_id: string } = JSON.parse(
    Buffer.from(token.split(".")[1] ?? "", "base64url").toString(),
  );
  assert.deepEqual([claims.aud, claims.client_id], [resource, clientId]);
});

function never(): void {
  assert.fail("no code can have come");
}

test("an issuer that does not know the client, or that is none, is said so", async () => {
  const login = { issuer, clientId: "stranger", scope: "openid" };
  await assert.rejects(logInWithDevice(login, never), {
    exit: "notAllowed",
    message: `${issuer} refused the login (invalid_client).`,
  });
  await assert.rejects(logInWithDevice({ ...login, issuer: `${issuer}/nowhere` }, never), { exit: "unavailable" });
  await assert.rejects(logInWithDevice({ ...login, issuer: "http://issuer.example" }, never), { exit: "usage" });
});

test("an issuer that describes itself as another one, or sends elsewhere, is not believed", async () => {
  await using other = await startScriptedServer(json(200, { issuer, token_endpoint: `${issuer}/token` }));
  await assert.rejects(logInWithDevice({ issuer: other.url.origin, clientId, scope: "openid" }, never), {
    exit: "failure",
  });
  await using open = await startScriptedServer((response, request) => {
    const body = { issuer: `http://${request.headers.host ?? ""}`, token_endpoint: "http://elsewhere.example/token" };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await assert.rejects(logInWithDevice({ issuer: open.url.origin, clientId, scope: "openid" }, never), {
    exit: "usage",
  });
});
