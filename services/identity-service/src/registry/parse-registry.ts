import { isTenantId, isUserId } from "@soma/contracts/ids";
import { apiKeyUserPrefix, foreignUserPrefix, type Capability } from "@soma/contracts/wire-names";
import { sha256 } from "@soma/kit/digest";
import { Compile } from "typebox/compile";
import { LineCounter, parseDocument, visit } from "yaml";
import type { Principal } from "../principals/principal.ts";
import { roleLimit } from "../principals/role-limit.ts";
import { lineOf } from "./line-of.ts";
import { RegistryDocument } from "./registry-schema.ts";

/** What a service may put into the tokens that it asks for. */
interface ServiceRights {
  readonly audiences: ReadonlySet<string>;
  readonly capabilities: ReadonlySet<Capability>;
  /** Audiences of the tokens that it may exchange, and of those that it gets for them. */
  readonly exchange: { readonly from: ReadonlySet<string>; readonly to: ReadonlySet<string> };
  /** Whether it may say which tenants there are and make their API keys. */
  readonly managesTenants: boolean;
}

/** One version of who may do what. Maps, so that a name such as `constructor` finds nothing that is not there. */
export interface Registry {
  /** Digest of the file's text. */
  readonly version: string;
  readonly services: ReadonlyMap<string, ServiceRights>;
  readonly tenants: ReadonlyMap<
    string,
    {
      readonly users: ReadonlyMap<string, Principal>;
      readonly agents: ReadonlyMap<string, ReadonlySet<Capability>>;
    }
  >;
}

/** Why a registry is refused; `message` is `file:line: reason`. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly file: string;
  readonly line: number;
  readonly reason: string;
  constructor(file: string, line: number, reason: string) {
    super(`${file}:${String(line)}: ${reason}`);
    this.file = file;
    this.line = line;
    this.reason = reason;
  }
}

interface ParseOptions {
  /** As it is named in errors. */
  readonly file: string;
  /** Says why a user's TOTP secret cannot be used, or nothing. */
  readonly totpProblem: (fileName: string) => string | undefined;
}

const document = Compile(RegistryDocument);

/**
 * Reads a registry as a whole or not at all.
 *
 * @throws RegistryError with the line of the first thing that is wrong.
 */
export function parseRegistry(text: string, options: ParseOptions): Registry {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const refuse = (line: number, reason: string): never => {
    throw new RegistryError(options.file, line, reason);
  };
  const syntax = [...yaml.errors, ...yaml.warnings][0];
  if (syntax) refuse(lines.linePos(syntax.pos[0]).line, syntax.message);
  // Who reads an entry must see all that it grants, without looking for an anchor elsewhere.
  visit(yaml, {
    Alias: (_key, alias) => refuse(lines.linePos(alias.range?.[0] ?? 0).line, "aliases (*name) are not accepted"),
  });
  const value: unknown = yaml.toJS({ maxAliasCount: 0 });

  if (!document.Check(value)) {
    const issues = document
      .Errors(value)
      // Reported once more, and better placed, by the `false` schema at the unknown member itself.
      .filter(({ keyword }) => keyword !== "additionalProperties")
      .map(({ instancePath, keyword, message, params }) => ({
        line: lineOf(yaml, lines, instancePath),
        reason: `${instancePath === "" ? "the file" : instancePath}: ${describe(keyword, message, params)}`,
      }))
      .toSorted((one, other) => one.line - other.line);
    return refuse(issues[0]?.line ?? 1, issues[0]?.reason ?? "does not fit its schema");
  }

  for (const [tenant, { users = {} }] of Object.entries(value.tenants)) {
    const at = `/tenants/${escapePointer(tenant)}`;
    if (!isTenantId(tenant)) refuse(lineOf(yaml, lines, at), `${at}: is not a tenant id`);
    for (const [user, { role, capabilities, totp_secret_file: secret }] of Object.entries(users)) {
      const place = `${at}/users/${escapePointer(user)}`;
      if (!isUserId(user)) refuse(lineOf(yaml, lines, place), `${place}: is not a user id`);
      // Who stands here can never be taken for an API key or for somebody from elsewhere, nor they for him.
      if (user.startsWith(apiKeyUserPrefix) || user.startsWith(foreignUserPrefix))
        refuse(lineOf(yaml, lines, place), `${place}: begins as an id of users that stand in no registry`);
      const limit = roleLimit(tenant, role);
      for (const [index, capability] of capabilities.entries()) {
        const one = `${place}/capabilities/${String(index)}`;
        if (!limit.has(capability))
          refuse(lineOf(yaml, lines, one), `${one}: ${capability} is more than the role ${role} can have here`);
      }
      const problem = secret === undefined ? undefined : options.totpProblem(secret);
      const file = `${place}/totp_secret_file`;
      if (problem !== undefined) refuse(lineOf(yaml, lines, file), `${file}: ${problem}`);
    }
  }
  return toRegistry(value, sha256(text));
}

function toRegistry(value: RegistryDocument, version: string): Registry {
  const services = Object.entries(value.services).map(
    ([name, { audiences, capabilities, exchange: { from = [], to = [] } = {}, manages_tenants = false }]) => {
      const exchange = { from: new Set(from), to: new Set(to) };
      return [
        name,
        {
          audiences: new Set(audiences),
          capabilities: new Set(capabilities),
          exchange,
          managesTenants: manages_tenants,
        },
      ] as const;
    },
  );
  const tenants = Object.entries(value.tenants).map(([name, { users = {}, agents = {} }]) => {
    const usersOf = Object.entries(users).map(
      ([user, { role, capabilities, mfa, totp_secret_file: totpSecretFile }]) => {
        const mfaRequired = mfa === "required" || totpSecretFile !== undefined;
        return [user, { role, capabilities: new Set(capabilities), mfaRequired, totpSecretFile }] as const;
      },
    );
    const agentsOf = Object.entries(agents).map(([agent, entry]) => [agent, new Set(entry.capabilities)] as const);
    return [name, { users: new Map(usersOf), agents: new Map(agentsOf) }] as const;
  });
  return { version, services: new Map(services), tenants: new Map(tenants) };
}

/** A name as a part of a JSON pointer (RFC 6901). */
function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function describe(keyword: string, message: string, params: object): string {
  const allowed: unknown = Reflect.get(params, keyword === "enum" ? "allowedValues" : "allowedValue");
  if (keyword === "enum" && Array.isArray(allowed)) return `must be one of ${allowed.join(", ")}`;
  if (keyword === "const") return `must be ${JSON.stringify(allowed)}`;
  if (keyword === "boolean") return "is not a known field, or its name is not an accepted one";
  const missing: unknown = Reflect.get(params, "requiredProperties");
  if (keyword === "required" && Array.isArray(missing)) return `lacks ${missing.join(", ")}`;
  return message;
}
