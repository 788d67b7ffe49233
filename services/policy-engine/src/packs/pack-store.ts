import { randomUUID } from "node:crypto";
import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isTenantId, type Digest, type TenantId } from "@soma/contracts/ids";
import { digestOf, sha256 } from "@soma/kit/digest";
import type { Logger } from "@soma/kit/logger";
import { releaseSlot } from "../cedar/authorizer.ts";
import type { EngineMetrics } from "../metrics.ts";
import { loadPack, maxPackBytes, sharedPrefix } from "./load-pack.ts";
import type { Pack } from "./pack.ts";
import { refuse, type Checked, type PackProblem } from "./pack-problem.ts";

/** Whom a file speaks for: its one tenant, or all that are set to the shared pack of its name. */
type PackOwner = { readonly tenant: TenantId } | { readonly pack: string };

/** What a file came to. `refusal` is set while its present bytes are not what decides. */
export interface PackStatus {
  readonly owner: PackOwner;
  readonly file: string;
  readonly active?: { readonly pack: Pack; readonly slot: string; readonly loadedAt: Date };
  readonly refusal?: Refusal;
}

interface Refusal {
  /** Tells whether the same thing was refused before; the digest of the bytes when they could be read. */
  readonly fingerprint: Digest;
  readonly refusedAt: Date;
  readonly problems: readonly PackProblem[];
}

interface PackStoreOptions {
  readonly directory: string;
  readonly log: Logger;
  readonly metrics: Pick<EngineMetrics, "packLoads" | "packsActive">;
  readonly now: () => Date;
}

/**
 * The active packs from the files of a directory: one for each `<tenant>.yaml`, and shared ones from `_<pack>.yaml`. A pack replaces another in one
 * assignment and only when it is good as a whole; a bad one leaves the old one in place; a file that is gone takes
 * its pack with it, and whom it decided for is denied.
 */
export class PackStore {
  readonly directory: string;
  readonly #options: PackStoreOptions;
  /** By file name: a tenant's and a shared pack's cannot be the same. */
  readonly #packs = new Map<string, PackStatus>();
  // Cedar's cache is one for the whole thread: each store needs names of its own in it.
  readonly #slots = randomUUID();
  #unreadable: string | undefined = "not read yet";
  #scanning: Promise<void> = Promise.resolve();

  constructor(options: PackStoreOptions) {
    this.directory = options.directory;
    this.#options = options;
  }

  /** The pack that decides for a tenant now: its own, else the shared one that it is set to. Never another tenant's. */
  find(tenant: TenantId, shared?: string): Pack | undefined {
    // A tenant whose own file was refused has no pack: it must not fall back to a laxer one.
    const own = this.#packs.get(`${tenant}.yaml`);
    if (own !== undefined || shared === undefined) return own?.active?.pack;
    return this.#packs.get(`${sharedPrefix}${shared}.yaml`)?.active?.pack;
  }

  list(): PackStatus[] {
    return [...this.#packs.values()].toSorted((a, b) => (a.file < b.file ? -1 : 1));
  }

  /** False until the directory was read, and while it cannot be. Packs that were read before stay active meanwhile. */
  isReadable(): boolean {
    return this.#unreadable === undefined;
  }

  /** Reads the directory and takes over what changed. Scans never overlap; resolves when this one is done. */
  scan(): Promise<void> {
    this.#scanning = this.#scanning.then(() => this.#scan());
    return this.#scanning;
  }

  async #scan(): Promise<void> {
    const { log, directory } = this.#options;
    let names: string[];
    try {
      names = await readdir(directory);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unknown";
      if (this.#unreadable !== reason) log.error({ file: directory, err: error }, "the pack directory cannot be read");
      this.#unreadable = reason;
      return;
    }
    this.#unreadable = undefined;
    const present = new Set<string>();
    for (const name of names) {
      const owner = ownerOf(name);
      if (owner === undefined) continue;
      const bytes = await readPack(join(directory, name));
      if (bytes === undefined) continue;
      present.add(name);
      this.#take(owner, name, bytes);
    }
    for (const status of this.#packs.values()) if (!present.has(status.file)) this.#remove(status);
    this.#options.metrics.packsActive.set(this.list().filter(({ active }) => active).length);
  }

  #take(owner: PackOwner, file: string, bytes: Checked<Uint8Array>): void {
    const before = this.#packs.get(file);
    const fingerprint = bytes.ok ? sha256(bytes.value) : digestOf(bytes.problems);
    if (before?.refusal?.fingerprint === fingerprint) return;
    if (before?.active?.pack.policyVersion === fingerprint) {
      // The author went back to what is active.
      if (before.refusal) this.#packs.set(file, { owner, file, active: before.active });
      return;
    }
    // Two slots in turn: the new policies never overwrite those that decide now.
    const slot = `${this.#slots}/${file}/${before?.active?.slot.endsWith("/a") === true ? "b" : "a"}`;
    const loaded = bytes.ok ? loadPack(file, bytes.value, slot) : bytes;
    if (loaded.ok) this.#activate({ owner, file, active: { pack: loaded.value, slot, loadedAt: this.#options.now() } });
    else this.#refuse({ ...before, owner, file }, fingerprint, loaded.problems);
  }

  #activate(status: PackStatus & Required<Pick<PackStatus, "active">>): void {
    const { log, metrics } = this.#options;
    this.#packs.set(status.file, status);
    metrics.packLoads.inc({ result: "activated" });
    const { policyVersion } = status.active.pack;
    log.info({ file: status.file, ...status.owner, policy_version: policyVersion }, "pack activated");
  }

  #refuse(before: PackStatus, fingerprint: Digest, problems: readonly PackProblem[]): void {
    const { log, metrics, now } = this.#options;
    const { owner, file, active } = before;
    this.#packs.set(file, { ...before, refusal: { fingerprint, refusedAt: now(), problems } });
    metrics.packLoads.inc({ result: "refused" });
    const message = active
      ? "pack refused; the one before stays active"
      : "pack refused; whom it is for has none and is denied";
    for (const { line, reason } of problems) log.error({ file, ...owner, line, reason }, message);
  }

  #remove({ owner, file, active }: PackStatus): void {
    const { log, metrics } = this.#options;
    this.#packs.delete(file);
    for (const name of ["a", "b"]) releaseSlot(`${this.#slots}/${file}/${name}`);
    if (!active) return;
    metrics.packLoads.inc({ result: "removed" });
    log.warn({ file, ...owner }, "pack removed; whom it decided for is denied from now on");
  }
}

/** Undefined for a file that is no pack's by its name. */
function ownerOf(file: string): PackOwner | undefined {
  if (!file.endsWith(".yaml")) return undefined;
  const name = basename(file, ".yaml");
  if (name.startsWith(sharedPrefix)) return { pack: name.slice(sharedPrefix.length) };
  return isTenantId(name) ? { tenant: name } : undefined;
}

/** The bytes of a pack; a refusal when it is no file that can be read; undefined when it is gone. */
async function readPack(path: string): Promise<Checked<Uint8Array> | undefined> {
  try {
    // Before reading: a pipe would never end, and a huge file would fill the memory.
    const found = await stat(path);
    if (!found.isFile()) return refuse([{ line: 1, reason: "is not a regular file" }]);
    if (found.size > maxPackBytes) return refuse([{ line: 1, reason: `is larger than ${String(maxPackBytes)} bytes` }]);
    return { ok: true, value: await readFile(path) };
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, "code") === "ENOENT") return undefined;
    return refuse([{ line: 1, reason: `cannot be read: ${error instanceof Error ? error.message : "unknown"}` }]);
  }
}
