import { DomainError } from "@soma/kit/domain-error";
import type { Registry } from "../registry/parse-registry.ts";
import type { ServiceCredentials } from "../service-credentials.ts";

interface ManagerDeps {
  readonly credentials: ServiceCredentials;
  readonly registry: () => Registry;
}

/**
 * Lets through a service that the registry trusts with tenants and their keys (`manages_tenants`).
 * @throws DomainError UNAUTHENTICATED or FORBIDDEN.
 */
export function requireTenantManager({ credentials, registry }: ManagerDeps, authorization: string | undefined): void {
  const service = credentials.authenticate(authorization);
  if (registry().services.get(service)?.managesTenants !== true)
    throw new DomainError("FORBIDDEN", "This service does not manage tenants.");
}
