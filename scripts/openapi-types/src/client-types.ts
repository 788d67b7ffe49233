import { readFileSync } from "node:fs";
import { namedSchemas } from "@soma/contracts/named-schemas";
import { nameSchemas } from "@soma/kit/name-schemas";
import openapiTS, { astToString } from "openapi-typescript";

/** What the client sends to and gets from the identity service. */
const fromElsewhere = ["LoginRequest", "IssuedToken"];

const banner = `/**
 * Generated from docs/reference/openapi/orchestrator.json by \`node scripts/generate-client.ts\`; change the routes and
 * contracts, not this file.
 */
`;

/** The source of the client's types: the orchestrator's OpenAPI document as TypeScript. The same document gives the same bytes. */
export async function clientTypes(documentFile: string): Promise<string> {
  const document: object = JSON.parse(readFileSync(documentFile, "utf8"));
  const nodes = await openapiTS(JSON.stringify(nameSchemas(document, namedSchemas, fromElsewhere)), {
    alphabetize: true,
    silent: true,
  });
  return banner + astToString(nodes);
}
