import { tenantSubject, type TenantEvent, type TenantNewEvent } from "@soma/contracts/tenant-events";
import { sealEnvelope, type EventPlace, type SealedEvent } from "./event-chain.ts";
import { assertTenantEvent } from "./typed-tenant-event.ts";

/**
 * Gives a tenant's event its place in the chain. Its `data` is judged by the projection, which knows the type.
 *
 * @throws TypeError when the event does not fit the contract: the writer is wrong, not the caller's data
 */
export function sealTenantEvent(input: TenantNewEvent, place: EventPlace): SealedEvent<TenantEvent> {
  const { event, json } = sealEnvelope(input, tenantSubject(input.tenant), `/tenants/${input.tenant}`, place);
  assertTenantEvent(event);
  return { event, json };
}

/** True when a writer says again what is recorded: everything is equal but place and time. */
export function saysTheSameOfTenant(recorded: TenantEvent, input: TenantNewEvent): boolean {
  return sealTenantEvent(input, recorded).event.hash === recorded.hash;
}

/** Reads the recorded bytes of a tenant's event. @throws TypeError when they are not one of the contract */
export function parseTenantEvent(json: string): TenantEvent {
  const event: unknown = JSON.parse(json);
  assertTenantEvent(event);
  return event;
}
