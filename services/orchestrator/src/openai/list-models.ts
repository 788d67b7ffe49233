import { randomUUID } from "node:crypto";
import type { OpenaiModel } from "@soma/contracts/openai";
import { defaultAgent, slmAudience } from "@soma/contracts/wire-names";
import type { Principal } from "../access/principal.ts";
import type { IdentityClient } from "../adapters/identity-client.ts";
import type { ModelClient } from "../adapters/model-client.ts";

export interface ModelListDeps {
  readonly identity: Pick<IdentityClient, "issue" | "revoke">;
  readonly model: Pick<ModelClient, "listModels">;
}

/** Long enough for one question. */
const ttlSeconds = 30;
const issueMs = 1_000;

/**
 * The models that the caller can use, as the model service names them. The service is asked with a token of its own, made
 * for the caller and this one question: who may use no model gets no list.
 *
 * @throws DomainError IDENTITY_DENIED, ACCESS_REVOKED, IDENTITY_UNAVAILABLE, MODEL_UNAVAILABLE, MODEL_BAD_RESPONSE
 */
export async function listModels(deps: ModelListDeps, principal: Principal): Promise<readonly OpenaiModel[]> {
  const { tenant, user, token: lineage } = principal;
  const { token } = await deps.identity.issue(
    {
      user_id: user,
      tenant_id: tenant,
      agent_id: defaultAgent,
      capabilities: ["model.complete"],
      audience: slmAudience,
      ttl_seconds: ttlSeconds,
      ...(lineage && { parent_jti: lineage.jti }),
      ...(lineage && lineage.origins.length > 0 && { parent_origins: [...lineage.origins] }),
    },
    `models/${randomUUID()}`,
    AbortSignal.timeout(issueMs),
  );
  try {
    return await deps.model.listModels(token);
  } finally {
    // One that cannot be revoked now ends by itself within seconds; the list does not hang on it.
    await deps.identity.revoke(token).catch(() => undefined);
  }
}
