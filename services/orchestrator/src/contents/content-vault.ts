import { hkdfSync } from "node:crypto";
import type { Digest } from "@soma/contracts/ids";
import { DomainError } from "@soma/kit/domain-error";
import { seal, unseal } from "@soma/kit/seal";
import type { NewContent } from "../ledger/content.ts";
import { keyWasDestroyed } from "./content-erased.ts";
import type { ContentKeys } from "./content-keys.ts";
import type { Subject } from "./subject.ts";

/** A content as it is stored: readable with its subject's key alone. */
export interface SealedContent extends Subject {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly keyId: string;
  readonly sealed: Uint8Array;
}

/** A piece of a text that is being made. */
export interface TextPiece extends Subject {
  readonly sessionId: string;
  readonly step: string;
  readonly attempt: number;
  /** In UTF-16 units. */
  readonly offset: number;
  readonly text: string;
}

/** A piece as it is stored. */
export interface SealedPiece extends Omit<TextPiece, "text"> {
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

  /** @throws DomainError CONTENT_KEY_UNAVAILABLE, AUDIT_UNAVAILABLE */
  async sealPiece({ text, ...place }: TextPiece): Promise<SealedPiece> {
    const { keyId, key } = await this.#keys.newest({ tenant: place.tenant, user: place.user });
    return { ...place, keyId, sealed: seal(keyOfAttempt(key, place), placeOfPiece(place), Buffer.from(text, "utf8")) };
  }

  /** @throws DomainError CONTENT_ERASED, CONTENT_KEY_UNAVAILABLE, CONTENT_UNREADABLE, AUDIT_UNAVAILABLE */
  async openPiece({ keyId, sealed, ...place }: SealedPiece): Promise<TextPiece> {
    const { key } = await this.#keys.byId(place.tenant, keyId);
    try {
      const text = unseal(keyOfAttempt(key, place), placeOfPiece(place), sealed).toString("utf8");
      return { ...place, text };
    } catch (error) {
      throw new DomainError("CONTENT_UNREADABLE", "The text was changed and cannot be decrypted.", { cause: error });
    }
  }
}

type PieceOf = Pick<TextPiece, "sessionId" | "step" | "attempt">;

/**
 * Pieces come by the dozen a second, and a subject may have many steps under way: a key of each attempt's own (HKDF, RFC
 * 5869) keeps the number of seals by one key far below what random nonces allow.
 */
function keyOfAttempt(key: Uint8Array, { sessionId, step, attempt }: PieceOf): Buffer {
  const info = JSON.stringify(["soma/delta-key/v1", sessionId, step, attempt]);
  return Buffer.from(hkdfSync("sha256", key, "", info, 32));
}

function placeOfPiece({ tenant, user, sessionId, step, attempt, offset }: Omit<TextPiece, "text">): string[] {
  return ["soma/delta/v1", tenant, user, sessionId, step, String(attempt), String(offset)];
}

function placeOf({ tenant, user, digest }: Subject & { readonly digest: Digest }): string[] {
  return ["soma/content/v1", tenant, user, digest];
}
