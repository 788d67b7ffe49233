import type { TokenClaims } from "@soma/contracts/identity";
import { SignJWT } from "jose";
import type { KeyRing } from "../keys/key-ring.ts";

/** Header `typ` of our tokens (RFC 9068, section 2.1): an ID token of the same keys can never pass for one. */
export const accessTokenType = "at+jwt";

/** Signs claims with the key that signs now. */
export function signToken(keys: KeyRing, claims: TokenClaims): Promise<string> {
  const key = keys.signingKey();
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: key.alg, typ: accessTokenType, kid: key.kid })
    .sign(key.privateKey);
}
