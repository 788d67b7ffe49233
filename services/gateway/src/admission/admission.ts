import type { GatewayParts } from "../gateway.ts";
import { checkConcurrency } from "./check-concurrency.ts";
import { checkContentType } from "./check-content-type.ts";
import { checkQuota } from "./check-quota.ts";
import { checkRate } from "./check-rate.ts";
import { checkSchema } from "./check-schema.ts";
import { checkScope } from "./check-scope.ts";
import { checkSize } from "./check-size.ts";
import { checkStrangers } from "./check-strangers.ts";
import { checkStreams } from "./check-streams.ts";
import { checkSuspended } from "./check-suspended.ts";
import { checkTenant } from "./check-tenant.ts";
import { checkToken } from "./check-token.ts";
import type { Visit } from "./visit.ts";

/** `head`: before a byte of the body is read. `body`: when it is there, whole. */
type Moment = "head" | "body";

interface Step {
  readonly name: string;
  readonly at: Moment;
  /** Routes that need a token, routes that do not, or all. */
  readonly on: "callers" | "open" | "all";
  /** @throws AccessRefused, or DomainError when it cannot be said. */
  readonly check: (visit: Visit, parts: GatewayParts) => void | Promise<void>;
}

/**
 * The door, top to bottom. What costs nothing comes first, then who it is; what the tenant is set to and has used is
 * for its own callers alone to be told; the body is read last, from those who may send one. What is not in the route
 * table does not come here.
 */
export const admission: readonly Step[] = [
  { name: "size", at: "head", on: "all", check: checkSize },
  { name: "content-type", at: "head", on: "all", check: checkContentType },
  { name: "strangers", at: "head", on: "open", check: checkStrangers },
  { name: "token", at: "head", on: "callers", check: checkToken },
  { name: "tenant", at: "head", on: "callers", check: checkTenant },
  { name: "scope", at: "head", on: "callers", check: checkScope },
  { name: "rate", at: "head", on: "callers", check: checkRate },
  { name: "concurrency", at: "head", on: "callers", check: checkConcurrency },
  { name: "suspended", at: "head", on: "callers", check: checkSuspended },
  { name: "quota", at: "head", on: "callers", check: checkQuota },
  { name: "streams", at: "body", on: "callers", check: checkStreams },
  { name: "tenant-in-body", at: "body", on: "callers", check: checkTenant },
  { name: "schema", at: "body", on: "all", check: checkSchema },
];

/** Runs the checks of one moment, in order, until one refuses. */
export async function admit(visit: Visit, parts: GatewayParts, at: Moment): Promise<void> {
  const kind = visit.route.needs === "open" ? "open" : "callers";
  for (const step of admission) {
    if (step.at !== at || (step.on !== "all" && step.on !== kind)) continue;
    const checked = step.check(visit, parts);
    // A check that needs nobody else's answer costs no turn of the event loop.
    if (checked !== undefined) await checked;
  }
}
