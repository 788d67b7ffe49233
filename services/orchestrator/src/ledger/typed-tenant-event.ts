import {
  TenantEvent,
  tenantEventData,
  type TenantEventData,
  type TenantEventType,
  type TenantNewEvent,
} from "@soma/contracts/tenant-events";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { badFields } from "./typed-event.ts";

/** Type and data of a tenant's event as one discriminated union, for an exhaustive `switch`. */
type TypedTenantEvent = {
  [T in TenantEventType]: { readonly type: T; readonly data: TenantEventData<T> };
}[TenantEventType];

const typedValidator = Compile(
  Type.Unsafe<TypedTenantEvent>(
    Type.Union(
      Object.entries(tenantEventData).map(([type, data]) =>
        Type.Object({ type: Type.Literal(type), data }, { additionalProperties: false }),
      ),
    ),
  ),
);
const eventValidator = Compile(TenantEvent);

/** @throws TypeError when `data` does not fit the schema of the event's type; names fields, never values */
export function typedTenantEvent(event: Pick<TenantEvent, "type" | "data"> | TenantNewEvent): TypedTenantEvent {
  const typed: unknown = { type: event.type, data: event.data };
  if (typedValidator.Check(typed)) return typed;
  const schema = Object.hasOwn(tenantEventData, event.type) ? tenantEventData[event.type] : undefined;
  if (schema === undefined) throw new TypeError("event of an unknown type");
  throw new TypeError(`data of ${event.type} does not fit its schema: ${badFields(schema, event.data)}`);
}

/** @throws TypeError when a value is not an event of a tenant's ledger; names fields, never values */
export function assertTenantEvent(value: unknown): asserts value is TenantEvent {
  if (!eventValidator.Check(value))
    throw new TypeError(`event does not fit its schema: ${badFields(TenantEvent, value)}`);
}
