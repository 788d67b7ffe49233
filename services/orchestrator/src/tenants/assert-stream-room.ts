import type { TenantId } from "@soma/contracts/ids";
import { defaultQuotas } from "@soma/contracts/tenant";
import type { StreamRegistry } from "../streams/stream-registry.ts";
import type { TenantDeps } from "./tenant-deps.ts";

interface StreamRoomDeps {
  readonly streams: StreamRegistry;
  readonly tenants: Pick<TenantDeps, "snapshots">;
}

/** Whether a tenant may open one more stream at this process. @throws DomainError TOO_MANY_STREAMS */
export async function assertStreamRoom(deps: StreamRoomDeps, tenant: TenantId): Promise<void> {
  const { streams } = (await deps.tenants.snapshots.find(tenant))?.settings.quotas ?? defaultQuotas;
  deps.streams.assertRoom({ tenant, streams });
}
