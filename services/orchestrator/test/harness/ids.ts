import { isSessionId, isTenantId, isUserId, type SessionId, type TenantId, type UserId } from "@soma/contracts/ids";

/** Ids of tests, checked as any other. @throws TypeError for a text that is none. */
export function tenantId(value: string): TenantId {
  if (!isTenantId(value)) throw new TypeError(`${value} is no tenant id`);
  return value;
}

export function userId(value: string): UserId {
  if (!isUserId(value)) throw new TypeError(`${value} is no user id`);
  return value;
}

export function sessionId(value: string): SessionId {
  if (!isSessionId(value)) throw new TypeError(`${value} is no session id`);
  return value;
}
