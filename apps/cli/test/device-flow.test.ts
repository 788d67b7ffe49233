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
  const metadata = {
    issuer,
    token_endpoint: `${issuer}/token`,
    device_authorization_endpoint: `${issuer}/device/auth`,
  };
  await using other = await startScriptedServer(json(200, metadata));
  const login = { clientId, scope: "openid" };
  await assert.rejects(logInWithDevice({ ...login, issuer: other.url.origin }, never), {
    message: `${other.url.origin} does not describe itself as an issuer.`,
  });
  for (const elsewhere of [
    { token_endpoint: "http://e.example/t" },
    { device_authorization_endpoint: "http://e.example/d" },
  ]) {
    await using server = await startScriptedServer((response, request) => {
      const own = { ...metadata, issuer: `http://${request.headers.host ?? ""}`, ...elsewhere };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(own));
    });
    await assert.rejects(logInWithDevice({ ...login, issuer: server.url.origin }, never), {
      message: "An issuer's addresses are https, or http on this machine.",
    });
  }
});
