import { buildServer, type Server } from "@soma/kit/server";
import manifest from "../package.json" with { type: "json" };
import type { Identity } from "./identity.ts";
import { addApiKeyRoutes } from "./routes/api-key-routes.ts";
import { addExchangeRoute } from "./routes/exchange-route.ts";
import { addIssueRoute } from "./routes/issue-route.ts";
import { addJwksRoute } from "./routes/jwks-route.ts";
import { addLoginRoute } from "./routes/login-route.ts";
import { addRevokeRoute } from "./routes/revoke-route.ts";
import { addTenantRoutes } from "./routes/tenant-routes.ts";
import { addVerifyRoute } from "./routes/verify-route.ts";

/** The service's HTTP API over what `openIdentity` opened; nothing listens yet. */
export async function buildApp(identity: Identity): Promise<Server> {
  const app = await buildServer({
    service: "identity-service",
    version: manifest.version,
    description:
      "Issues, exchanges, verifies and revokes the tokens of users, agents and steps, and the API keys of machines.",
    log: identity.log,
    metrics: identity.metrics,
    missing: () => identity.missing().map((name) => ({ name })),
    bodyLimitBytes: 32_768,
  });
  addIssueRoute(app, identity);
  await addExchangeRoute(app, identity);
  addVerifyRoute(app, identity);
  addRevokeRoute(app, identity);
  addApiKeyRoutes(app, identity);
  addTenantRoutes(app, identity);
  addLoginRoute(app, identity);
  addJwksRoute(app, identity);
  return app;
}
