import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import type { Identity } from "../identity.ts";
import { PublicJwk } from "../keys/key-file.ts";

// Shorter than KEY_PREPUBLISH_SECONDS can be: a verifier has a new key before it is used.
const maxAgeSeconds = 300;

/** `GET /.well-known/jwks.json` */
export function addJwksRoute(app: Server, identity: Identity): void {
  app.get(
    "/.well-known/jwks.json",
    {
      schema: {
        summary: "Public keys that tokens are verified with (RFC 7517)",
        response: { 200: Type.Object({ keys: Type.Array(PublicJwk) }, { additionalProperties: false }) },
      },
    },
    async (_request, reply) =>
      reply.header("cache-control", `public, max-age=${String(maxAgeSeconds)}`).send(identity.keys.publicSet()),
  );
}
