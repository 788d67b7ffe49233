import { DigestSchema, TenantIdSchema } from "@soma/contracts/ids";
import type { Server } from "@soma/kit/server";
import { Type } from "typebox";
import type { PackStatus, PackStore } from "../packs/pack-store.ts";

const Timestamp = Type.String({ description: "RFC 3339, UTC" });
const ListedPack = Type.Object({
  tenant: Type.Optional(TenantIdSchema),
  pack: Type.Optional(Type.String({ description: "Instead of a tenant: the name that tenants are set to it by" })),
  file: Type.String(),
  active: Type.Optional(
    Type.Object({
      name: Type.String(),
      policy_version: DigestSchema,
      loaded_at: Timestamp,
      policies: Type.Integer({ description: "Cedar policies" }),
      rules: Type.Integer({ description: "Content rules" }),
    }),
  ),
  last_refusal: Type.Optional(
    Type.Object(
      {
        refused_at: Timestamp,
        problems: Type.Array(Type.Object({ line: Type.Integer(), reason: Type.String() })),
      },
      { description: "Present while the file's bytes are not those that decide" },
    ),
  ),
});
const PackList = Type.Object({ packs: Type.Array(ListedPack) });

/** `GET /v1/packs`: which packs there are and for whom, and what was refused. For operators; holds no policy text. */
export function addPacksRoute(app: Server, store: Pick<PackStore, "list">): void {
  app.get("/v1/packs", { schema: { summary: "Rule packs and refusals", response: { 200: PackList } } }, () => ({
    packs: store.list().map(describe),
  }));
}

function describe({ owner, file, active, refusal }: PackStatus): Type.Static<typeof ListedPack> {
  return {
    ...owner,
    file,
    ...(active && {
      active: {
        name: active.pack.name,
        policy_version: active.pack.policyVersion,
        loaded_at: active.loadedAt.toISOString(),
        policies: active.pack.authorizer.size,
        rules: active.pack.rules.length,
      },
    }),
    ...(refusal && {
      last_refusal: { refused_at: refusal.refusedAt.toISOString(), problems: [...refusal.problems] },
    }),
  };
}
