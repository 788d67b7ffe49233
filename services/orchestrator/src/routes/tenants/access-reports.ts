import { AccessReports } from "@soma/contracts/access";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import { requireGateway } from "../../access/require-gateway.ts";
import { recordRefusals } from "../../tenants/record-refusals.ts";
import type { RouteDeps } from "../route-deps.ts";
import { problems } from "../session-params.ts";

/** `POST /v1/access-reports`: who was refused at the gateway, counted. */
export function addAccessReports(app: Server, { fromGateway, tenants: deps }: RouteDeps): void {
  app.post(
    "/v1/access-reports",
    {
      schema: {
        summary: "Record who was refused at the gateway; for the gateway alone",
        tags: ["tenants"],
        security: [],
        body: AccessReports,
        response: {
          204: Type.Null({ description: "All of them are in the ledgers" }),
          ...problems(400, 403, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      requireGateway(fromGateway, request);
      await recordRefusals(deps, request.body.reports, "gateway");
      return reply.code(204).send(null);
    },
  );
}
