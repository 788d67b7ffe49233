import type { Capability } from "@soma/contracts/wire-names";
import type { Registry } from "../registry/parse-registry.ts";
import type { Principal } from "./principal.ts";

interface PrincipalsDeps {
  readonly registry: () => Registry;
}

const nothing: ReadonlySet<Capability> = new Set();

/** Who there is and what each may do at most, as of now. */
export class Principals {
  readonly #deps: PrincipalsDeps;

  constructor(deps: PrincipalsDeps) {
    this.#deps = deps;
  }

  /** The user of a tenant, unless there is none now. */
  find(tenant: string, user: string): Principal | undefined {
    return this.#deps.registry().tenants.get(tenant)?.users.get(user);
  }

  /** What an agent of a tenant may do: nothing, when there is none of this name. */
  rightsOfAgent(tenant: string, agent: string): ReadonlySet<Capability> {
    return this.#deps.registry().tenants.get(tenant)?.agents.get(agent) ?? nothing;
  }

  /** What a service may put into tokens: nothing, when there is none of this name. */
  rightsOfService(service: string): ReadonlySet<Capability> {
    return this.#deps.registry().services.get(service)?.capabilities ?? nothing;
  }
}
