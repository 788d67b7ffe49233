import type { Digest } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";
import type { NewContent } from "../ledger/content.ts";
import { keyWasDestroyed } from "./content-erased.ts";
import type { ContentKeys } from "./content-keys.ts";
import { seal, unseal } from "./seal.ts";
import type { Subject } from "./subject.ts";

/** A content as it is stored: readable with its subject's key alone. */
export interface SealedContent extends Subject {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly keyId: string;
  readonly sealed: Uint8Array;
}

/** Encrypts texts before a store of the ledger sees them, and decrypts what it gives back. */
export class ContentVault {
  readonly #keys: ContentKeys;

  constructor(keys: ContentKeys) {
    this.#keys = keys;
  }

  /** @throws DomainError CONTENT_KEY_UNAVAILABLE, AUDIT_UNAVAILABLE */
  seal(contents: readonly NewContent[]): Promise<SealedContent[]> {
    return Promise.all(
      contents.map(async ({ tenant, user, digest, mediaType, bytes }) => {
        const { keyId, key } = await this.#keys.newest({ tenant, user });
        const place = placeOf({ tenant, user, digest });
        return { tenant, user, digest, mediaType, keyId, sealed: seal(key, place, bytes) };
      }),
    );
  }

  /**
   * Encrypts and writes. A key that another process destroyed meanwhile is no key for a new text: then once more, with
   * the subject's next one.
   */
  async write<T>(contents: readonly NewContent[], write: (sealed: readonly SealedContent[]) => Promise<T>): Promise<T> {
    try {
      return await write(await this.seal(contents));
    } catch (error) {
      if (!keyWasDestroyed(error)) throw error;
      for (const subject of contents) this.#keys.forget(subject);
      return write(await this.seal(contents));
    }
  }

  /** @throws DomainError CONTENT_ERASED, CONTENT_KEY_UNAVAILABLE, CONTENT_UNREADABLE, AUDIT_UNAVAILABLE */
  async open(content: Omit<SealedContent, "mediaType">): Promise<Uint8Array> {
    const { key } = await this.#keys.byId(content.tenant, content.keyId);
    try {
      return unseal(key, placeOf(content), content.sealed);
    } catch (error) {
      throw new DomainError("CONTENT_UNREADABLE", "The text was changed and cannot be decrypted.", { cause: error });
    }
  }
}

function placeOf({ tenant, user, digest }: Subject & { readonly digest: Digest }): string[] {
  return ["soma/content/v1", tenant, user, digest];
}
