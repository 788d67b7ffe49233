import type { paths } from "./generated/orchestrator.ts";
import type {
  ApiKeyPage,
  ApiKeyView,
  CreateApiKeyRequest,
  CreatedApiKey,
  CreateTenantRequest,
  IssuedToken,
  LoginRequest,
  TenantActionRequest,
  TenantEventPage,
  TenantPage,
  TenantView,
  UpdateTenantRequest,
} from "./shapes.ts";

/**
 * Routes that the contracts promise and the OpenAPI document does not have. As soon as it has one, its own entry
 * counts and the one here does not.
 */
interface AwaitedRoutes {
  "/v1/tenants": {
    get: Operation<{ query?: { cursor?: string; limit?: string } }, never, 200, TenantPage>;
    post: Operation<object, CreateTenantRequest, 201, TenantView>;
  };
  "/v1/tenants/{tenant}": {
    get: Operation<{ path: { tenant: string } }, never, 200, TenantView>;
    patch: Operation<{ path: { tenant: string } }, UpdateTenantRequest, 200, TenantView>;
  };
  "/v1/tenants/{tenant}/suspend": {
    post: Operation<{ path: { tenant: string } }, TenantActionRequest, 200, TenantView>;
  };
  "/v1/tenants/{tenant}/resume": {
    post: Operation<{ path: { tenant: string } }, TenantActionRequest, 200, TenantView>;
  };
  "/v1/tenants/{tenant}/events": {
    get: Operation<
      { path: { tenant: string }; query?: { after?: string; limit?: string } },
      never,
      200,
      TenantEventPage
    >;
  };
  "/v1/api-keys": {
    get: Operation<{ query?: { tenant?: string } }, never, 200, ApiKeyPage>;
    post: Operation<object, CreateApiKeyRequest, 201, CreatedApiKey>;
  };
  "/v1/api-keys/{id}": {
    delete: Operation<{ path: { id: string }; query?: { tenant?: string } }, never, 200, ApiKeyView>;
  };
  "/v1/login": { post: Operation<object, LoginRequest, 200, IssuedToken> };
}

interface Operation<Parameters, Body, Status extends number, Answer> {
  parameters: Parameters;
  requestBody?: [Body] extends [never] ? never : Content<Body>;
  responses: Record<Status, Content<Answer>>;
}
interface Content<Body> {
  content: { "application/json": Body };
}

type Routes = paths & Omit<AwaitedRoutes, keyof paths>;
export type Path = keyof Routes;
export type Method = "get" | "post" | "patch" | "delete";

type OperationOf<P extends Path, M extends Method> = M extends keyof Routes[P] ? Routes[P][M] : never;

/** The JSON that an operation answers with when it succeeds. */
export type AnswerOf<P extends Path, M extends Method> =
  OperationOf<P, M> extends { responses: infer Responses }
    ? { [S in keyof Responses & (200 | 201 | 202)]: JsonOf<Responses[S]> }[keyof Responses & (200 | 201 | 202)]
    : never;

/** The JSON that an operation takes; undefined for one that takes none. */
export type BodyOf<P extends Path, M extends Method> =
  OperationOf<P, M> extends { requestBody?: infer Body } ? JsonOf<Exclude<Body, undefined>> : undefined;

type JsonOf<Part> = Part extends { content: { "application/json": infer Body } } ? Body : never;

/** Names in the path and in the query of an operation. */
export type ParametersOf<P extends Path, M extends Method> =
  OperationOf<P, M> extends { parameters: infer Parameters } ? Pick<Parameters, keyof Parameters & Where> : never;
type Where = "path" | "query";
