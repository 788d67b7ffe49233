import { randomId } from "./random-id.ts";
import type {
  CreateTenantRequest,
  TenantActionRequest,
  TenantEvent,
  TenantEventPage,
  TenantPage,
  TenantView,
  UpdateTenantRequest,
} from "./shapes.ts";
import type { PageOptions } from "./sessions.ts";
import type { CallOptions, ChangeOptions, Transport } from "./transport.ts";

/** Makes a tenant; takes `platform.manage`. Changes of tenants keep their idempotency key: they are safe to repeat. @throws SomaError. */
export function createTenant(
  transport: Transport,
  body: CreateTenantRequest,
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<TenantView> {
  return transport.call("/v1/tenants", "post", { body, idempotencyKey, ...options });
}

/** A tenant with its settings and usage. @throws SomaError. */
export function getTenant(transport: Transport, tenant: string, options: CallOptions = {}): Promise<TenantView> {
  return transport.call("/v1/tenants/{tenant}", "get", { parameters: { path: { tenant } }, ...options });
}

/** All tenants that the caller may see; pages are fetched as they are needed. @throws SomaError. */
export async function* listTenants(
  transport: Transport,
  { pageSize, ...options }: PageOptions = {},
): AsyncGenerator<TenantView, void, undefined> {
  for (let cursor: string | undefined; ;) {
    const query = {
      ...(cursor !== undefined && { cursor }),
      ...(pageSize !== undefined && { limit: String(pageSize) }),
    };
    const page: TenantPage = await transport.call("/v1/tenants", "get", { parameters: { query }, ...options });
    yield* page.tenants;
    if (page.next_cursor === undefined) return;
    cursor = page.next_cursor;
  }
}

/** Changes what is named and leaves the rest; with `version`, only if nobody changed it meanwhile. @throws SomaError. */
export function updateTenant(
  transport: Transport,
  tenant: string,
  body: UpdateTenantRequest,
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<TenantView> {
  return transport.call("/v1/tenants/{tenant}", "patch", {
    parameters: { path: { tenant } },
    body,
    idempotencyKey,
    ...options,
  });
}

/** Nothing starts any more, running work pauses, reads go on. @throws SomaError. */
export function suspendTenant(
  transport: Transport,
  tenant: string,
  body: TenantActionRequest = {},
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<TenantView> {
  return transport.call("/v1/tenants/{tenant}/suspend", "post", {
    parameters: { path: { tenant } },
    body,
    idempotencyKey,
    ...options,
  });
}

/** Undoes a suspension. @throws SomaError. */
export function resumeTenant(
  transport: Transport,
  tenant: string,
  body: TenantActionRequest = {},
  { idempotencyKey = randomId(), ...options }: ChangeOptions = {},
): Promise<TenantView> {
  return transport.call("/v1/tenants/{tenant}/resume", "post", {
    parameters: { path: { tenant } },
    body,
    idempotencyKey,
    ...options,
  });
}

/** The tenant's own ledger as it is now: its changes, its keys, who was refused. @throws SomaError. */
export async function* readTenantEvents(
  transport: Transport,
  tenant: string,
  { after = 0, pageSize = 500, ...options }: PageOptions & { readonly after?: number } = {},
): AsyncGenerator<TenantEvent, void, undefined> {
  for (let position: number | undefined = after; position !== undefined;) {
    const query = { after: String(position), limit: String(pageSize) };
    const page: TenantEventPage = await transport.call("/v1/tenants/{tenant}/events", "get", {
      parameters: { path: { tenant }, query },
      ...options,
    });
    yield* page.events;
    position = page.next_after;
  }
}
