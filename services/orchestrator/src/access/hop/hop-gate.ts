import { hopLimits, type HopRefusal } from "@soma/contracts/hop";
import type { Digest } from "@soma/contracts/ids";
import { hopHeader } from "@soma/contracts/wire-names";
import { sha256 } from "@soma/kit/digest";
import { DomainError } from "@soma/kit/domain-error";
import type { Logger } from "@soma/kit/logger";
import type { Registry } from "@soma/kit/metrics";
import { keepRawBody, rawBodyOf } from "@soma/kit/raw-body";
import type { Server } from "@soma/kit/server";
import type { FastifyRequest } from "fastify";
import { GatewayKeys } from "./gateway-keys.ts";
import { createHopMetrics } from "./hop-metrics.ts";
import { UsedHops } from "./used-hops.ts";
import { HopRefused, verifyHop } from "./verify-hop.ts";

interface HopGateOptions {
  /** `REQUIRE_GATEWAY`: nothing but the probes is served without a hop token. */
  readonly required: boolean;
  /** Undefined: no gateway is known, so that what says it is a hop token says nothing. */
  readonly keyFile: string | undefined;
  readonly log: Logger;
  readonly registry: Registry;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Tells requests that came through the gateway from those that did not. */
export interface HopGate {
  /** Adds the checks; for the builder, before any route. */
  readonly guard: (app: Server) => void;
  /** True for a request that carried a valid hop token, whether one is required or not. */
  readonly fromGateway: (request: FastifyRequest) => boolean;
}

const open: ReadonlySet<string> = new Set(["/health", "/ready", "/metrics"]);
/** As long as a token can be valid, leeway at both ends. */
const rememberMs = (hopLimits.lifeSeconds + 2 * hopLimits.leewaySeconds) * 1_000;
const maxRemembered = 1_000_000;
/** A flood of refusals is one line of the log for each reason in this time. */
const logEveryMs = 10_000;

/** Reads the gateways' keys. @throws ConfigError when the file holds something else. */
export async function openHopGate(options: HopGateOptions): Promise<HopGate> {
  const { required, keyFile, log, now = Date.now } = options;
  const { refused } = createHopMetrics(options.registry);
  const keys = keyFile === undefined ? undefined : new GatewayKeys(keyFile);
  await keys?.load();
  const used = new UsedHops(rememberMs, maxRemembered);
  const passed = new WeakMap<FastifyRequest, Digest>();
  const loggedAt = new Map<HopRefusal, number>();

  function refuse(request: FastifyRequest, reason: HopRefusal, cause?: unknown): DomainError {
    refused.inc({ reason });
    if (performance.now() - (loggedAt.get(reason) ?? -Infinity) >= logEveryMs) {
      loggedAt.set(reason, performance.now());
      log.warn(
        { request_id: request.id, reason, code: "GATEWAY_REQUIRED" },
        "a request did not come through the gateway",
      );
    }
    return new DomainError("GATEWAY_REQUIRED", "Send this request to the gateway.", { cause });
  }

  return {
    guard(app) {
      keepRawBody(app);
      app.addHook("onRequest", async (request) => {
        if (open.has(request.routeOptions.url ?? "")) return;
        const token = request.headers[hopHeader];
        if (token === undefined) {
          if (required) throw refuse(request, "missing");
          return;
        }
        if (keys === undefined) return;
        if (typeof token !== "string") throw refuse(request, "malformed");
        const { method, url: path = "" } = request.raw;
        const { authorization } = request.headers;
        try {
          // A token that was sent counts, required or not: what is wrong with it is no accident.
          passed.set(
            request,
            await verifyHop({ keys, used, now }, token, { method: method ?? "", path, authorization }),
          );
        } catch (error) {
          if (error instanceof HopRefused) throw refuse(request, error.reason, error);
          throw error;
        }
      });
      app.addHook("preValidation", (request, _reply, done) => {
        const expected = passed.get(request);
        if (expected === undefined || expected === sha256(rawBodyOf(request))) return done();
        passed.delete(request);
        done(refuse(request, "body"));
      });
    },
    fromGateway: (request) => passed.has(request),
  };
}
