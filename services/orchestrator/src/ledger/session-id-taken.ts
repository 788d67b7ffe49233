import { DomainError } from "@soma/kit/domain-error";

/** The same words whoever holds the id, and wherever that shows: a foreign tenant learns nothing from them. */
export function sessionIdTaken(): DomainError {
  return new DomainError("SESSION_ID_TAKEN", "The session id is in use; choose another one, or leave it out.");
}
