import { basename } from "node:path";
import { sha256 } from "@soma/kit/digest";
import { createAuthorizer } from "../cedar/authorizer.ts";
import { validatePolicies } from "../cedar/validate-policies.ts";
import { maxPackSteps } from "../content/compile-pattern.ts";
import { compileRule, type ContentRule } from "../content/compile-rule.ts";
import { PatternRefused } from "../content/pattern-cost.ts";
import type { Pack } from "./pack.ts";
import { refuse, type Checked, type PackProblem } from "./pack-problem.ts";
import { readPackFile, type ReadPack } from "./read-pack-file.ts";
import { runExamples } from "./run-examples.ts";

/** What the name of a shared pack's file begins with; no tenant's id does. */
export const sharedPrefix = "_";

/** Largest pack that is read, in bytes. */
export const maxPackBytes = 262_144;

/**
 * Makes a pack from the bytes of `<tenant>.yaml`, or of `_<pack>.yaml` for a shared one: schema, rules, Cedar's strict validation, then the pack's own
 * examples. Nothing is active yet; `slot` of Cedar's cache holds the pack's policies afterwards, also on refusal.
 */
export function loadPack(path: string, bytes: Uint8Array, slot: string): Checked<Pack> {
  if (bytes.byteLength > maxPackBytes)
    return refuse([{ line: 1, reason: `the file is larger than ${String(maxPackBytes)} bytes` }]);
  const read = readPackFile(bytes);
  if (!read.ok) return read;
  const { file, source } = read.value;

  const problems = checkNames(read.value, path);
  const rules = compileRules(read.value, problems);
  for (const { policy, offset, reason } of validatePolicies(file.authorization.policies))
    problems.push({
      line: source.lineInText(["authorization", "policies", policy], offset),
      reason: `policy ${policy}: ${reason}`,
    });
  if (problems.length > 0) return refuse(problems);

  const pack: Pack = {
    tenant: file.tenant,
    name: file.name,
    policyVersion: sha256(bytes),
    authorizer: createAuthorizer(slot, file.authorization),
    rules,
    threshold: file.threshold,
    obligations: file.obligations ?? [],
  };
  const failures = runExamples(pack, file.examples);
  if (failures.length > 0)
    return refuse(failures.map(({ index, reason }) => ({ line: source.lineOf(["examples", String(index)]), reason })));
  return { ok: true, value: pack };
}

/** What the schema cannot say: names that must agree or be unique, fields of which one must be there. */
function checkNames({ file, source }: ReadPack, path: string): PackProblem[] {
  const problems: PackProblem[] = [];
  const owner = file.tenant === undefined ? "pack" : "tenant";
  // The name decides whom a file may speak for: one tenant's file must not become another's.
  const expected = file.tenant ?? (file.pack === undefined ? undefined : sharedPrefix + file.pack);
  if (expected === undefined) problems.push({ line: 1, reason: "tenant: is required, or pack for a shared one" });
  else if (file.tenant !== undefined && file.pack !== undefined)
    problems.push({ line: source.lineOf(["pack"]), reason: "pack: cannot stand beside tenant" });
  else if (basename(path) !== `${expected}.yaml`)
    problems.push({ line: source.lineOf([owner]), reason: `${owner}: the file must be named ${expected}.yaml` });
  // The same name is somebody else in each tenant.
  if (file.tenant === undefined && file.authorization.groups !== undefined)
    problems.push({
      line: source.lineOf(["authorization", "groups"]),
      reason: "authorization.groups: a shared pack names no users",
    });
  const seen = new Set<string>();
  for (const [index, rule] of file.rules.entries()) {
    const at = ["rules", String(index)];
    if (seen.has(rule.id)) problems.push({ line: source.lineOf(at), reason: `rule ${rule.id}: the id is used twice` });
    seen.add(rule.id);
    if (!rule.terms && !rule.near && rule.pattern === undefined)
      problems.push({ line: source.lineOf(at), reason: `rule ${rule.id}: needs terms, near or pattern` });
  }
  for (const [index, obligation] of (file.obligations ?? []).entries()) {
    const report = (reason: string): void => {
      problems.push({
        line: source.lineOf(["obligations", String(index)]),
        reason: `obligations.${String(index)}: ${reason}`,
      });
    };
    const { max_output_tokens, require_approval, out_of_budget, memory_unavailable, ...rest } = obligation;
    const named = [max_output_tokens, require_approval, out_of_budget, memory_unavailable];
    if (named.every((value) => value === undefined))
      report("needs max_output_tokens, require_approval, out_of_budget or memory_unavailable");
    if (require_approval === undefined && (rest.approval_quorum ?? rest.approval_expires_seconds) !== undefined)
      report("approval_quorum and approval_expires_seconds need require_approval");
  }
  return problems;
}

/** Adds to `problems` what is wrong with the rules' patterns, one by one and together. */
function compileRules({ file, source }: ReadPack, problems: PackProblem[]): ContentRule[] {
  const rules: ContentRule[] = [];
  for (const [index, rule] of file.rules.entries()) {
    try {
      rules.push(compileRule(rule));
    } catch (error) {
      if (!(error instanceof PatternRefused)) throw error;
      const line = source.lineOf(["rules", String(index), "pattern"]);
      problems.push({ line, reason: `rule ${rule.id}: pattern ${error.message}` });
    }
  }
  const steps = rules.reduce((sum, rule) => sum + rule.steps, 0);
  if (steps > maxPackSteps)
    problems.push({
      line: source.lineOf(["rules"]),
      reason: `rules: the patterns can take ${String(steps)} steps together; at most ${String(maxPackSteps)} are accepted`,
    });
  return rules;
}
