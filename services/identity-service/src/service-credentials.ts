import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { ConfigError } from "@soma/kit/config";
import { DomainError } from "@soma/kit/domain-error";
import { readOrCreateSecretFile } from "@soma/kit/secret-file";

const secretPattern = /^[A-Za-z0-9_-]{43,256}$/;

/**
 * The services' secrets: one owner-only file per service in one folder, made at the first start, so that the service
 * that needs it reads the file and nobody has to invent or hand round a secret. Only digests are kept in memory.
 */
export class ServiceCredentials {
  readonly #dir: string;
  #digests: ReadonlyMap<string, Buffer> = new Map();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Reads all files again, so that a replaced one counts from now on, and makes the missing ones.
   *
   * @throws ConfigError when a file is readable by others, holds no secret, or holds another service's.
   */
  load(services: Iterable<string>): void {
    const digests = new Map<string, Buffer>();
    for (const service of services) {
      const path = join(this.#dir, service);
      const digest = sha256(readSecret(path));
      if ([...digests.values()].some((other) => timingSafeEqual(other, digest)))
        throw new ConfigError(`${path} holds the secret of another service; give each its own`);
      digests.set(service, digest);
    }
    this.#digests = digests;
  }

  /** The service whose secret the Authorization header carries. @throws DomainError UNAUTHENTICATED otherwise. */
  authenticate(authorization: string | undefined): string {
    const service = this.serviceOf(authorization);
    if (service === undefined)
      throw new DomainError("UNAUTHENTICATED", "Send a service's credential as: Authorization: Bearer <secret>.");
    return service;
  }

  /** The same, where everybody is served; undefined for everybody else. */
  serviceOf(authorization: string | undefined): string | undefined {
    const secret = /^Bearer ([A-Za-z0-9_-]{43,256})$/.exec(authorization ?? "")?.[1];
    const digest = sha256(secret ?? "");
    let found: string | undefined;
    // No early end: the time says neither which service it was nor how much of a secret was right.
    for (const [service, expected] of this.#digests) {
      if (timingSafeEqual(expected, digest)) found = service;
    }
    return secret === undefined ? undefined : found;
  }
}

function readSecret(path: string): string {
  let secret: string;
  try {
    secret = readOrCreateSecretFile(path, () => Buffer.from(randomBytes(32).toString("base64url")))
      .toString("utf8")
      .trimEnd();
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : `${path} cannot be read`);
  }
  if (!secretPattern.test(secret)) throw new ConfigError(`${path} must hold 43 to 256 base64url characters`);
  return secret;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
