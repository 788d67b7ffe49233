import type { Capability, Role } from "@soma/contracts/wire-names";

/** Somebody whom tokens can be for: a user of the registry, an API key, or a user that a foreign issuer vouches for. */
export interface Principal {
  readonly role: Role;
  readonly capabilities: ReadonlySet<Capability>;
  readonly mfaRequired: boolean;
  /** Name of the file in the folder of TOTP secrets; undefined while the user is not enrolled. */
  readonly totpSecretFile: string | undefined;
}
