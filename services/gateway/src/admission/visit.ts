import type { TenantId, UserId } from "@soma/contracts/ids";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Route } from "../route-table.ts";

/** Who sends a request, as the identity service says. */
export interface Caller {
  readonly tenant: TenantId;
  readonly user: UserId;
  readonly scopes: readonly string[];
}

/** One request on its way through the door; each check may add what it found out. */
export interface Visit {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly route: Route;
  /** Set by the token check and by nothing else. */
  caller?: Caller;
  /** Gives back the place among the tenant's requests under way, before the visit ends. */
  leaveConcurrency?: () => void;
}

/** True when the answer is asked for as a stream, as far as can be seen now: the body comes late. */
export function asksForStream({ request, route }: Visit): boolean {
  if (route.streams !== true) return false;
  return (
    /\btext\/event-stream\b/.test(request.headers.accept ?? "") ||
    fieldOf(request.query, "stream") === "true" ||
    fieldOf(request.body, "stream") === true
  );
}

/** @throws TypeError on a route or at a moment at which there is none: a mistake in the table lets nobody in. */
export function callerOf({ caller }: Visit): Caller {
  if (caller === undefined) throw new TypeError("nobody has been let in yet");
  return caller;
}

/** A member of an object that came from outside. */
export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
