import type { TokenRefusal } from "@soma/contracts/access";
import { JWSSignatureVerificationFailed, JWTClaimValidationFailed, JWTExpired } from "jose/errors";

/** The class of what `jwtVerify` threw. The error itself carries the token's claims, so nothing of it is passed on. */
export function refusalOf(error: unknown): TokenRefusal {
  if (error instanceof JWTExpired) return "expired";
  if (error instanceof JWSSignatureVerificationFailed) return "signature";
  if (!(error instanceof JWTClaimValidationFailed)) return "claims";
  if (error.claim === "iss") return "issuer";
  if (error.claim === "aud") return "audience";
  return error.claim === "nbf" && error.reason === "check_failed" ? "not_yet_valid" : "claims";
}
