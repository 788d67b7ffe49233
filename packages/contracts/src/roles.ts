import type { Capability, Role } from "./wire-names.ts";

/**
 * The most that each role can ever carry, whatever a registry, an API key or a foreign issuer grants. An auditor reads
 * ledgers and, without `session.read`, no prompt and no answer.
 */
export const roleCapabilities = {
  viewer: ["session.read", "ledger.read", "tenant.read"],
  operator: [
    "session.start",
    "session.read",
    "session.cancel",
    "ledger.read",
    "model.complete",
    "model.embed",
    "tenant.read",
    "session.steer",
    "memory.recall",
    "memory.remember",
  ],
  approver: ["session.read", "session.approve", "ledger.read", "tenant.read", "budget.extend"],
  admin: [
    "session.start",
    "session.read",
    "session.cancel",
    "session.approve",
    "ledger.read",
    "model.complete",
    "model.embed",
    "tenant.read",
    "tenant.manage",
    "key.manage",
    "platform.manage",
    "session.steer",
    "session.stop",
    "budget.extend",
    "memory.recall",
    "memory.remember",
    "subject.erase",
  ],
  auditor: ["ledger.read", "tenant.read"],
} as const satisfies Record<Role, readonly Capability[]>;
