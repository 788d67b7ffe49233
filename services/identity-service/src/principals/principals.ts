import { defaultAgent, foreignUserPrefix, type Capability } from "@soma/contracts/wire-names";
import { keyOfUser } from "../api-keys/api-key-text.ts";
import type { Registry } from "../registry/parse-registry.ts";
import type { ApiKeyStore } from "../state/api-key-store.ts";
import type { ForeignUserStore } from "../state/foreign-user-store.ts";
import type { TenantStore } from "../state/tenant-store.ts";
import type { Principal } from "./principal.ts";
import { roleLimit } from "./role-limit.ts";

interface PrincipalsDeps {
  readonly registry: () => Registry;
  readonly tenants: TenantStore;
  readonly apiKeys: ApiKeyStore;
  readonly foreignUsers: ForeignUserStore;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

const nothing: ReadonlySet<Capability> = new Set();
/** What the agent may do in a tenant that stands in no registry. */
const rightsOfDefaultAgent: ReadonlySet<Capability> = new Set<Capability>([
  "model.complete",
  "model.embed",
  "memory.recall",
  "memory.remember",
]);

/** Who there is and what each may do at most, as of now. */
export class Principals {
  readonly #deps: PrincipalsDeps;

  constructor(deps: PrincipalsDeps) {
    this.#deps = deps;
  }

  /** A tenant of the registry, or one that this service was told of. */
  knowsTenant(tenant: string): boolean {
    return this.#deps.registry().tenants.has(tenant) || this.#deps.tenants.find(tenant) !== undefined;
  }

  /** The user of a tenant, unless there is none now. */
  find(tenant: string, user: string): Principal | undefined {
    const keyId = keyOfUser(user);
    if (keyId !== undefined) return this.#findKey(tenant, keyId);
    if (user.startsWith(foreignUserPrefix)) return this.#findForeign(tenant, user);
    return this.#deps.registry().tenants.get(tenant)?.users.get(user);
  }

  /** What an agent of a tenant may do: nothing, when there is none of this name. */
  rightsOfAgent(tenant: string, agent: string): ReadonlySet<Capability> {
    const registered = this.#deps.registry().tenants.get(tenant);
    if (registered !== undefined) return registered.agents.get(agent) ?? nothing;
    return agent === defaultAgent && this.knowsTenant(tenant) ? rightsOfDefaultAgent : nothing;
  }

  /** What a service may put into tokens: nothing, when there is none of this name. */
  rightsOfService(service: string): ReadonlySet<Capability> {
    return this.#deps.registry().services.get(service)?.capabilities ?? nothing;
  }

  #findKey(tenant: string, keyId: string): Principal | undefined {
    const { apiKeys, clock } = this.#deps;
    const key = apiKeys.find(keyId);
    if (key?.tenant !== tenant || key.revokedAt !== undefined || key.expiresAt <= clock() / 1_000) return undefined;
    if (!this.knowsTenant(tenant)) return undefined;
    return { role: key.role, capabilities: new Set(key.scopes), mfaRequired: false, totpSecretFile: undefined };
  }

  /**
   * Somebody from elsewhere has all that his role can have, but for `platform.manage`: who runs the installation stands in
   * its registry. He is there as long as the tenant trusts the issuer that vouched for him.
   */
  #findForeign(tenant: string, user: string): Principal | undefined {
    const { clock, foreignUsers, tenants } = this.#deps;
    const known = foreignUsers.find(tenant, user);
    if (known === undefined || known.expiresAt <= clock() / 1_000) return undefined;
    if (tenants.find(tenant)?.issuers.some(({ issuer }) => issuer === known.issuer) !== true) return undefined;
    const capabilities = [...roleLimit(tenant, known.role)].filter((one) => one !== "platform.manage");
    return { role: known.role, capabilities: new Set(capabilities), mfaRequired: false, totpSecretFile: undefined };
  }
}
