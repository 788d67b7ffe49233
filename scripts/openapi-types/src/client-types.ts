import { readFileSync } from "node:fs";
import { ApiKeyPage, ApiKeyView, CreateApiKeyRequest, CreatedApiKey } from "@soma/contracts/api-key";
import { AuditEvent, EventPage } from "@soma/contracts/audit";
import { IssuedToken, LoginRequest } from "@soma/contracts/identity";
import { SessionDiagnosis } from "@soma/contracts/diagnosis";
import { ErrorCodeSchema, FieldError, Problem } from "@soma/contracts/problem";
import {
  SessionPage,
  SessionResult,
  SessionStatusSchema,
  SessionView,
  StartSessionAccepted,
  StartSessionRequest,
  Usage,
} from "@soma/contracts/session";
import { ErasureReport, EraseSubjectRequest, StopReport, StopRequest } from "@soma/contracts/stop";
import {
  CreateTenantRequest,
  TenantActionRequest,
  TenantPage,
  TenantQuotas,
  TenantView,
  TrustedIssuer,
  UpdateTenantRequest,
} from "@soma/contracts/tenant";
import openapiTS, { astToString } from "openapi-typescript";
import { nameSchemas } from "./name-schemas.ts";

/** The shapes that the client has a name for; each that a route uses is found in the document by what it is. */
const named = {
  ErrorCode: ErrorCodeSchema,
  FieldError,
  Problem,
  SessionStatus: SessionStatusSchema,
  StartSessionRequest,
  StartSessionAccepted,
  SessionView,
  SessionPage,
  SessionResult,
  Usage,
  AuditEvent,
  EventPage,
  TrustedIssuer,
  TenantQuotas,
  CreateTenantRequest,
  UpdateTenantRequest,
  TenantActionRequest,
  TenantView,
  TenantPage,
  CreateApiKeyRequest,
  ApiKeyView,
  CreatedApiKey,
  ApiKeyPage,
  LoginRequest,
  IssuedToken,
  SessionDiagnosis,
  StopRequest,
  StopReport,
  EraseSubjectRequest,
  ErasureReport,
};

const banner = `/**
 * Generated from docs/reference/openapi/orchestrator.json by \`node scripts/generate-client.ts\`; change the routes and
 * contracts, not this file.
 */
`;

/** The source of the client's types: the orchestrator's OpenAPI document as TypeScript. The same document gives the same bytes. */
export async function clientTypes(documentFile: string): Promise<string> {
  const document: unknown = JSON.parse(readFileSync(documentFile, "utf8"));
  const nodes = await openapiTS(JSON.stringify(nameSchemas(document, named)), { alphabetize: true, silent: true });
  return banner + astToString(nodes);
}
