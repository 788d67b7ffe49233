import { errors, isErrorCode, type ErrorCode } from "@soma/contracts/error-codes";
import { openaiErrorBody, openaiErrors, openaiStatus } from "@soma/contracts/openai-errors";
import {
  chatParameters,
  responseParameters,
  type ParameterRule,
} from "../../services/orchestrator/src/openai/parameters.ts";
import { code, page, table } from "./markdown.ts";

/** What becomes of each parameter and each error on the OpenAI-compatible face. */
export function openaiPage(): string {
  return page(
    "The OpenAI-compatible face: parameters and errors",
    "`services/orchestrator/src/openai/parameters.ts` and `packages/contracts/src/openai-errors.ts`",
    [
      "A parameter that is `null` was not given. One that stands in no row is refused: 400 `unsupported_parameter`, with its name",
      "as `param`. How to use it all is in [openai-clients.md](../user-manual/openai-clients.md).",
    ].join("\n"),
    "## `POST /v1/chat/completions`",
    parameterTable(chatParameters),
    "## `POST /v1/responses`",
    parameterTable(responseParameters),
    "## Errors",
    [
      "Our code is what stands in the ledger and in problem documents; `status`, `type` and `code` are what an OpenAI client gets. `again` says",
      "whether the SDKs may repeat the request by themselves: never once a session was begun.",
    ].join("\n"),
    errorTable(),
  );
}

function parameterTable(rules: Readonly<Record<string, ParameterRule>>): string {
  const rows = Object.entries(rules).map(([name, rule]) => [code(name)].concat(wordsFor(rule)));
  return table(["parameter", "is", "because"], rows);
}

function wordsFor(rule: ParameterRule): [string, string] {
  switch (rule.kind) {
    case "used":
      return ["supported", ""];
    case "ignored":
      return ["accepted, changes nothing", rule.why];
    case "only":
      return [`accepted as ${rule.values.map((value) => code(JSON.stringify(value))).join(" or ")}`, rule.why];
    case "refused":
      return ["refused", rule.why];
  }
}

function errorTable(): string {
  const codes = Object.keys(openaiErrors).filter((name): name is ErrorCode => isErrorCode(name));
  const rows = codes.map((name) => {
    const { type, code: told } = openaiErrorBody(name, "").error;
    return [code(name), String(openaiStatus(name)), type, code(told), errors[name].retry === "never" ? "no" : "yes"];
  });
  return table(["our code", "status", "type", "code", "again"], rows);
}
