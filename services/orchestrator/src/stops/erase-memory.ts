import { randomUUID } from "node:crypto";
import { memoryAudience } from "@soma/contracts/wire-names";
import type { Manager } from "../access/manager.ts";
import type { IdentityClient } from "../adapters/identity-client.ts";
import type { MemoryClient } from "../adapters/memory-client.ts";
import type { Subject } from "../contents/subject.ts";
import { DomainError } from "@soma/kit/domain-error";

/** Long enough for one request that takes its time. */
const ttlSeconds = 60;

interface Erasers {
  readonly identity: Pick<IdentityClient, "issue" | "revoke">;
  readonly memory: Pick<MemoryClient, "erase">;
}

/**
 * Has the memory gateway forget a subject, in the name of the manager who erases him: by a token of his own tenant that
 * is good for this alone. What the installation's admins erase in another tenant, its own admins erase in its memory.
 */
export function createEraseMemory({ identity, memory }: Erasers) {
  return async (subject: Subject, manager: Manager): Promise<void> => {
    if (manager.tenant !== subject.tenant)
      throw new DomainError("MEMORY_REJECTED", "A tenant's memory is erased by its own admins.");
    const { token } = await identity.issue(
      {
        user_id: manager.user,
        tenant_id: manager.tenant,
        capabilities: ["subject.erase"],
        audience: memoryAudience,
        ttl_seconds: ttlSeconds,
        parent_jti: manager.token.jti,
        ...(manager.token.origins.length > 0 && { parent_origins: [...manager.token.origins] }),
      },
      randomUUID(),
      AbortSignal.timeout(5_000),
    );
    try {
      await memory.erase(subject.user, token);
    } finally {
      // It ends by itself within a minute.
      await identity.revoke(token).catch(() => undefined);
    }
  };
}
