import type { NewContent } from "../ledger/content.ts";
import type { ContentVault, SealedContent } from "./content-vault.ts";

/** What versions before encryption left in a store. */
export interface PlainContents {
  /** True once everything below was done. */
  areGone(): Promise<boolean>;
  tenants(): Promise<readonly string[]>;
  /** The texts that the next sessions of a tenant name, for the user of each; `after` goes on where a page ended. */
  read(query: {
    readonly tenant: string;
    readonly after: number;
    readonly sessions: number;
  }): Promise<{ readonly contents: readonly NewContent[]; readonly last: number | undefined }>;
  insertSealed(tenant: string, contents: readonly SealedContent[]): Promise<void>;
  /** Removes at most so many, and says how many it removed. */
  remove(tenant: string, limit: number): Promise<number>;
  /** Overwrites what the removed ones left in the store's files, and records that they are gone. */
  finish(): Promise<void>;
}

const sessionsPerBatch = 20;
const removedPerBatch = 500;

/**
 * Encrypts what an older version wrote in clear. In batches, and safe to be cut off and begun again, also by several
 * processes at once. A text that two users share becomes one for each; one that no event names is nobody's and goes.
 */
export async function sealPlainContents(plain: PlainContents, vault: ContentVault): Promise<void> {
  if (await plain.areGone()) return;
  for (const tenant of await plain.tenants()) {
    let after: number | undefined = -1;
    while (after !== undefined) {
      const { contents, last } = await plain.read({ tenant, after, sessions: sessionsPerBatch });
      await plain.insertSealed(tenant, await vault.seal(contents));
      after = last;
    }
    while ((await plain.remove(tenant, removedPerBatch)) > 0);
  }
  await plain.finish();
}
