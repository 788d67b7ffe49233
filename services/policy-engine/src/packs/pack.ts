import type { Digest, TenantId } from "@soma/contracts/ids";
import type { Authorizer } from "../cedar/authorizer.ts";
import type { ContentRule } from "../content/compile-rule.ts";
import type { PackObligation } from "./pack-schema.ts";

/** A rule pack, checked and ready to decide: a tenant's own, or one that tenants share. */
export interface Pack {
  /** The one tenant that it decides for; undefined for a shared one. */
  readonly tenant: TenantId | undefined;
  readonly name: string;
  /** SHA-256 of the file's bytes: what every decision names as the policy that made it. */
  readonly policyVersion: Digest;
  readonly authorizer: Authorizer;
  readonly rules: readonly ContentRule[];
  readonly threshold: number;
  readonly obligations: readonly PackObligation[];
}
