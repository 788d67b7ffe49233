import type { Actor } from "@soma/contracts/identity";
import type { Capability } from "@soma/contracts/wire-names";
import type { Principals } from "../principals/principals.ts";

const servicePrefix = "service:";

/** The name in `act` of a service that passed a token on in its own name: no agent's name can hold the colon. */
export function actorOfService(service: string): string {
  return servicePrefix + service;
}

/** Everybody who acts or acted for the user, the newest first. */
export function actorNames(act: Actor | undefined): string[] {
  const names: string[] = [];
  for (let one: Actor | undefined = act; one !== undefined; one = one.act) names.push(one.sub);
  return names;
}

/** The chain with these names, the newest first. */
export function actorChain(names: readonly [string, ...string[]]): Actor {
  const [sub, ...earlier] = names;
  const [next, ...others] = earlier;
  // The contract bounds the depth with its schema, and our callers check it before.
  return next === undefined ? { sub } : { sub, act: actorChain([next, ...others]) };
}

/** What somebody who acts may do at most, as of now: nothing, when nobody has the name any more. */
export function rightsOfActor(principals: Principals, tenant: string, name: string): ReadonlySet<Capability> {
  return name.startsWith(servicePrefix)
    ? principals.rightsOfService(name.slice(servicePrefix.length))
    : principals.rightsOfAgent(tenant, name);
}
