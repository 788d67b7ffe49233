import { capabilities, roles, type Capability, type Role } from "@soma/contracts/wire-names";
import { Type, type Static } from "typebox";

const closed = { additionalProperties: false } as const;

// A name that no code checks would grant nothing and look as if it did, so only known capabilities are accepted.
const CapabilityList = Type.Array(Type.Unsafe<Capability>(Type.String({ enum: capabilities })), { uniqueItems: true });
const Name = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" });

const AudienceList = Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { uniqueItems: true });

const ServiceEntry = Type.Object(
  {
    audiences: AudienceList,
    capabilities: CapabilityList,
    // Tokens for whom it may exchange, and for tokens to whom; without this, none.
    exchange: Type.Optional(Type.Object({ from: AudienceList, to: AudienceList }, closed)),
    // Whether it may say which tenants there are, and make and end their API keys.
    manages_tenants: Type.Optional(Type.Boolean()),
  },
  closed,
);

const UserEntry = Type.Object(
  {
    role: Type.Unsafe<Role>(Type.String({ enum: roles })),
    capabilities: CapabilityList,
    mfa: Type.Optional(Type.Literal("required")),
    // A file name, never a path: a registry cannot point at other files of the machine.
    totp_secret_file: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$" })),
  },
  closed,
);

const AgentEntry = Type.Object({ capabilities: CapabilityList }, closed);

const TenantEntry = Type.Object(
  {
    users: Type.Optional(Type.Record(Type.String(), UserEntry)),
    agents: Type.Optional(Type.Record(Name, AgentEntry, closed)),
  },
  closed,
);

/** The registry file, version 1. The names of tenants and users are checked by the contract's own rule for ids. */
export const RegistryDocument = Type.Object(
  {
    version: Type.Literal(1),
    services: Type.Record(Name, ServiceEntry, closed),
    tenants: Type.Record(Type.String(), TenantEntry),
  },
  closed,
);
export type RegistryDocument = Static<typeof RegistryDocument>;
