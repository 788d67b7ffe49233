import type { NativeConnection } from "@temporalio/worker";
import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";
import { searchAttributes } from "@soma/contracts/wire-names";

/** Keyword of the server's IndexedValueType. */
const keyword = 2;

export const tenantIdAttribute = defineSearchAttributeKey(searchAttributes.tenantId, SearchAttributeType.KEYWORD);

/**
 * Registers the search attributes that are missing: a start that names an unregistered one is refused, and a workflow
 * that sets one hangs for ever. A server that knows them all is not written to.
 */
export async function registerSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.withDeadline(Date.now() + 5_000, () =>
    connection.operatorService.listSearchAttributes({ namespace }),
  );
  const missing = Object.values(searchAttributes).filter((name) => !Object.hasOwn(customAttributes, name));
  if (missing.length === 0) return;
  await connection.withDeadline(Date.now() + 5_000, () =>
    connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    }),
  );
}
