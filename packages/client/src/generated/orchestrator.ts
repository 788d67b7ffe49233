/**
 * Generated from docs/reference/openapi/orchestrator.json by `node scripts/generate-client.ts`; change the routes and
 * contracts, not this file.
 */
export interface paths {
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Liveness; calls nothing */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            service: string;
                            /** @enum {string} */
                            status: "ok";
                            version: string;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prometheus text format */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Readiness; names what is missing */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            missing: {
                                address?: string;
                                name: string;
                            }[];
                            /** @enum {string} */
                            status: "ready" | "degraded";
                        };
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            code: components["schemas"]["ErrorCode"];
                            detail: string;
                            errors?: components["schemas"]["FieldError"][];
                            missing: {
                                address?: string;
                                name: string;
                            }[];
                            request_id: string;
                            status: number;
                            title: string;
                            /** @description urn:soma:problem:<code> */
                            type: string;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/access-reports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Record who was refused at the gateway; for the gateway alone */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["AccessReports"];
                };
            };
            responses: {
                /** @description All of them are in the ledgers */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tenant's API keys, without their secrets */
        get: {
            parameters: {
                query?: {
                    /** @description Another tenant's keys, for the installation's admins; your own unless given */
                    tenant?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ApiKeyPage"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Make an API key; its secret stands in this answer alone */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateApiKeyRequest"];
                };
            };
            responses: {
                /** @description The key of a repeated request that came too late for a secret */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @description RFC 3339, UTC */
                            created_at: string;
                            created_by: string;
                            /** @description RFC 3339, UTC */
                            expires_at: string;
                            key_id: string;
                            /** @description RFC 3339, UTC */
                            last_used_at?: string;
                            name: string;
                            /** @description RFC 3339, UTC */
                            revoked_at?: string;
                            /** @enum {string} */
                            role: "viewer" | "operator" | "approver" | "admin" | "auditor";
                            scopes: ("session.start" | "session.read" | "session.cancel" | "model.complete" | "model.embed" | "session.approve" | "ledger.read" | "tenant.read" | "tenant.manage" | "key.manage" | "platform.manage" | "session.steer" | "session.stop" | "budget.extend" | "memory.recall" | "memory.remember" | "subject.erase")[];
                            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                            tenant: string;
                        };
                    };
                };
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreatedApiKey"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End an API key, and all that was started with it */
        delete: {
            parameters: {
                query?: {
                    /** @description Another tenant's keys, for the installation's admins; your own unless given */
                    tenant?: string;
                };
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ApiKeyView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a session of these messages and wait for its answer, or stream it */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChatCompletionRequest"];
                };
            };
            responses: {
                /** @description The completion, or with `stream: true` its chunks */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ChatCompletion"];
                        "text/event-stream": string;
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Erase a data subject: end the sessions, destroy the keys of the texts, forget the memory */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["EraseSubjectRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ErasureReport"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Models that the caller can use */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiModelList"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One model */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiModel"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a session of this input; wait for it, stream it, or leave it in the background */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ResponseRequest"];
                };
            };
            responses: {
                /** @description The response, or with `stream` its events */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiResponse"];
                        "text/event-stream": string;
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                500: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                504: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A session as a response; with `stream` its events from after a place on */
        get: {
            parameters: {
                query?: {
                    include_obfuscation?: "false";
                    /** @description A sequence_number of the stream, or a bare sequence of the session's ledger */
                    starting_after?: string;
                    stream?: "true" | "false";
                };
                header?: never;
                path: {
                    /** @description resp_<session id> */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The response, or with `stream` its events */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiResponse"];
                        "text/event-stream": string;
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/responses/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel a response's session; one that has ended is shown as it is */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description resp_<session id> */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiResponse"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OpenaiError"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sessions of the caller's tenant, newest first */
        get: {
            parameters: {
                query?: {
                    capsule?: string;
                    cursor?: string;
                    label?: string;
                    /** @description 1 to 100; 20 unless given */
                    limit?: string;
                    /** @description RFC 3339: sessions created at or after */
                    since?: string;
                    status?: components["schemas"]["SessionStatus"];
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                    /** @description Letters, digits and ._@:+-; at most 128. */
                    user?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionPage"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Start a session */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["StartSessionRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StartSessionAccepted"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Status and result of a session */
        get: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: never;
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Approve what a session waits for; for somebody else than who asked */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Of the action that is decided on, as the session shows it: it is for this one and no other */
                        action_digest: string;
                        approval_id: string;
                        /** @description For people */
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel a session; reaches what is running */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description For people */
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/deny": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Deny what a session waits for */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description Of the action that is decided on, as the session shows it: it is for this one and no other */
                        action_digest: string;
                        approval_id: string;
                        /** @description For people */
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/extend-budget": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Raise the bounds of a session's budget */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Budget"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/message": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say something in an interactive session */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        busy?: components["schemas"]["BusyStrategy"];
                        /** @description The session completes after the answer */
                        final?: boolean;
                        /** @description At most 100 KiB */
                        text: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin no further step; what is under way ends */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description For people */
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Go on after a pause */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description For people */
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try the failed step of a conversation again, alone */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description For people */
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/actions/terminate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a session at once, without waiting for what is running */
        post: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Same key and body in one session: the same action */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": {
                        /** @description For people */
                        reason?: string;
                    };
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/diagnosis": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why a session is where it is, and what would move it */
        get: {
            parameters: {
                query?: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: never;
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionDiagnosis"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The session's ledger, as pages or as a stream */
        get: {
            parameters: {
                query?: {
                    /** @description Events after this `sequence`; 0 unless given */
                    after?: string;
                    /** @description Of a stream: `step:attempt:offset`, how far its reader has come in the text of a running step; its deltas go on there */
                    delta_after?: string;
                    /** @description 1 to 1000; 100 unless given */
                    limit?: string;
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant?: string;
                };
                header?: {
                    /** @description Resumes a stream; wins over `after` */
                    "last-event-id"?: string;
                };
                path: {
                    /** @description Session id or workflow id */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A page, or with `accept: text/event-stream` the stream */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EventPage"];
                        "text/event-stream": string;
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a session */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["StartSessionRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StartSessionAccepted"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stops": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop what runs: a session, a user's, an agent's, a tenant's or all */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["StopRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StopReport"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All tenants, by id; for the installation's admins */
        get: {
            parameters: {
                query?: {
                    cursor?: string;
                    /** @description 1 to 100; 20 unless given */
                    limit?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantPage"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Make a tenant */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateTenantRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants/{tenant}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A tenant: what it is set to and what it uses */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change what a tenant is set to */
        patch: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["UpdateTenantRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/v1/tenants/{tenant}/admission": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the gateway needs of a tenant to admit a request; for the gateway alone */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantAdmission"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants/{tenant}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The tenant's own ledger, as pages */
        get: {
            parameters: {
                query?: {
                    /** @description Events after this `sequence`; 0 unless given */
                    after?: string;
                    /** @description 1 to 1000; 100 unless given */
                    limit?: string;
                };
                header?: never;
                path: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantEventPage"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants/{tenant}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a suspension; what paused goes on by itself */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TenantActionRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tenants/{tenant}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Suspend a tenant: nothing starts, running work pauses, reads go on */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Same key and body within 24 h: the same answer */
                    "idempotency-key"?: string;
                };
                path: {
                    /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                    tenant: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TenantActionRequest"];
                };
            };
            responses: {
                /** @description Default Response */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TenantView"];
                    };
                };
                /** @description Default Response */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
                /** @description Default Response */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AccessReports: {
            reports: {
                count: number;
                /** @description RFC 3339, UTC */
                first_at: string;
                /** @description RFC 3339, UTC */
                last_at: string;
                /** @enum {string} */
                reason: "size" | "content_type" | "no_token" | "malformed" | "header" | "algorithm" | "type" | "unknown_key" | "signature" | "issuer" | "audience" | "expired" | "not_yet_valid" | "claims" | "revoked" | "rights_changed" | "tenant_mismatch" | "tenant_suspended" | "scope" | "rate" | "concurrency" | "streams" | "quota" | "schema" | "approval";
                /** @description The same report sent again is the same event */
                report_id: string;
                /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
                tenant?: string;
            }[];
        };
        ApiKeyPage: {
            keys: components["schemas"]["ApiKeyView"][];
        };
        ApiKeyView: {
            /** @description RFC 3339, UTC */
            created_at: string;
            created_by: string;
            /** @description RFC 3339, UTC */
            expires_at: string;
            key_id: string;
            /** @description RFC 3339, UTC */
            last_used_at?: string;
            name: string;
            /** @description RFC 3339, UTC */
            revoked_at?: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "approver" | "admin" | "auditor";
            scopes: ("session.start" | "session.read" | "session.cancel" | "model.complete" | "model.embed" | "session.approve" | "ledger.read" | "tenant.read" | "tenant.manage" | "key.manage" | "platform.manage" | "session.steer" | "session.stop" | "budget.extend" | "memory.recall" | "memory.remember" | "subject.erase")[];
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
        };
        AuditEvent: {
            agent: string;
            /** @enum {string} */
            authn: "token" | "unauthenticated-loopback" | "temporal-client" | "service";
            data: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            datacontenttype: "application/json";
            /** @description What the event is within its session, e.g. step-1/policy.decided */
            eventkey: string;
            /** @description SHA-256 as sha256:<64 hex digits>. */
            hash: string;
            id: string;
            /** @description SHA-256 as sha256:<64 hex digits>. */
            prevhash: string;
            sequence: number;
            /** @description /tenants/<tenant>/sessions/<session> */
            source: string;
            /** @enum {string} */
            specversion: "1.0";
            /** @description Letters, digits, dot, underscore, hyphen; at most 128; not beginning with 'session-'. */
            subject: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
            /** @description RFC 3339, UTC */
            time: string;
            traceparent?: string;
            /** @enum {string} */
            type: "session.created" | "policy.decided" | "token.issued" | "effect.intended" | "effect.completed" | "effect.failed" | "memory.recalled" | "memory.remembered" | "memory.skipped" | "dependency.unavailable" | "dependency.recovered" | "session.paused" | "session.resumed" | "session.cancel_requested" | "action.decided" | "action.refused" | "message.received" | "turn.started" | "turn.ended" | "approval.requested" | "approval.granted" | "approval.denied" | "approval.expired" | "approval.voided" | "budget.exhausted" | "budget.extended" | "session.completed" | "session.denied" | "session.failed" | "session.canceled" | "session.timed_out";
            /** @description Letters, digits and ._@:+-; at most 128. */
            user: string;
        };
        Budget: {
            /** @description Money, in millionths of the price table's currency */
            cost_micros?: number;
            /** @description Effects that may begin */
            steps?: number;
            /** @description Model tokens, prompt and completion */
            tokens?: number;
            /** @description From the session's start on */
            wall_seconds?: number;
        };
        BudgetView: {
            limit: components["schemas"]["Budget"];
            reserved: {
                cost_micros: number;
                tokens: number;
            };
            spent: {
                cost_micros: number;
                steps: number;
                tokens: number;
            };
        };
        /**
         * @description reject: 409 (unless given). enqueue: answered after what is under way. interrupt: ends the turn under way, whose message stays in the conversation. rollback: ends it, and its message is taken back.
         * @enum {string}
         */
        BusyStrategy: "reject" | "enqueue" | "interrupt" | "rollback";
        Cause: {
            /** @enum {string} */
            code: "ended" | "canceling" | "tenant_suspended" | "paused" | "waiting_approval" | "waiting_budget" | "dependency_down" | "quota" | "no_workflow" | "no_worker" | "retrying" | "queued" | "waiting_input" | "moving" | "unknown";
            /** @description Ids, counts, codes and times; never a text of a user's */
            details?: {
                [key: string]: string | number | boolean;
            };
            /** @description RFC 3339, UTC; absent when it is not known */
            since?: string;
            /** @description What holds it up, in a sentence */
            what: string;
            /** @description The action, or the operator's step, that would move it */
            would_move: string;
        };
        ChatCompletion: {
            choices: {
                finish_reason: string;
                /** @enum {number} */
                index: 0;
                logprobs: null;
                message: {
                    content: string;
                    refusal: null;
                    /** @enum {string} */
                    role: "assistant";
                };
            }[];
            created: number;
            /** @description chatcmpl-<session id> */
            id: string;
            /** @description The model that answered */
            model: string;
            /** @enum {string} */
            object: "chat.completion";
            usage: {
                completion_tokens: number;
                prompt_tokens: number;
                total_tokens: number;
            };
        };
        ChatCompletionRequest: {
            max_completion_tokens?: number | null;
            max_tokens?: number | null;
            messages: components["schemas"]["OpenaiMessage"][];
            metadata?: {
                [key: string]: string;
            } | null;
            /** @description A model of the model service, see /v1/models */
            model: string;
            seed?: number | null;
            stop?: string | string[] | null;
            stream?: boolean | null;
            stream_options?: {
                /** @enum {boolean} */
                include_obfuscation?: false;
                include_usage?: boolean;
            } | null;
            temperature?: number | null;
            top_p?: number | null;
        } & {
            [key: string]: unknown;
        };
        CreateApiKeyRequest: {
            /** @description 90 days unless given */
            expires_in_seconds?: number;
            /** @description For people; letters, digits, blank and ._- */
            name: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "approver" | "admin" | "auditor";
            scopes?: ("session.start" | "session.read" | "session.cancel" | "model.complete" | "model.embed" | "session.approve" | "ledger.read" | "tenant.read" | "tenant.manage" | "key.manage" | "platform.manage" | "session.steer" | "session.stop" | "budget.extend" | "memory.recall" | "memory.remember" | "subject.erase")[];
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant?: string;
        };
        CreatedApiKey: {
            /** @description RFC 3339, UTC */
            created_at: string;
            created_by: string;
            /** @description RFC 3339, UTC */
            expires_at: string;
            key_id: string;
            /** @description RFC 3339, UTC */
            last_used_at?: string;
            name: string;
            /** @description RFC 3339, UTC */
            revoked_at?: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "approver" | "admin" | "auditor";
            scopes: ("session.start" | "session.read" | "session.cancel" | "model.complete" | "model.embed" | "session.approve" | "ledger.read" | "tenant.read" | "tenant.manage" | "key.manage" | "platform.manage" | "session.steer" | "session.stop" | "budget.extend" | "memory.recall" | "memory.remember" | "subject.erase")[];
            secret: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
        };
        CreateTenantRequest: {
            issuers?: components["schemas"]["TrustedIssuer"][];
            name?: string;
            /** @description A shared pack of the policy engine; a pack that names the tenant goes before it */
            policy_pack?: string;
            quotas?: {
                /** @description Requests under way, streams apart */
                concurrent_requests?: number;
                /** @description Money of a day in UTC, in millionths of the price table's currency; unbounded unless given */
                cost_micros_per_day?: number;
                requests_per_minute?: number;
                /** @description Sessions that have not ended */
                running_sessions?: number;
                /** @description Open event streams */
                streams?: number;
                /** @description Model tokens, prompt and completion, of a day in UTC */
                tokens_per_day?: number;
            };
            /** @description For so long texts and ended sessions are kept */
            retention_days?: number;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
        };
        DecisionSummary: {
            allowed: boolean;
            decision_id: string;
            policy_version: string;
            reasons: string[];
            score: number;
            /** @enum {string} */
            severity: "none" | "low" | "medium" | "high" | "critical";
        };
        EraseSubjectRequest: {
            /** @description For people; stands in the ledgers */
            reason?: string;
            /** @description Another tenant than your own, for the installation's admins */
            tenant?: string;
            /** @description Letters, digits and ._@:+-; at most 128. */
            user: string;
        };
        ErasureReport: {
            erasure_id: string;
            /** @description Content keys; what they encrypted can be read by nobody any more */
            keys_destroyed: number;
            /**
             * @description unavailable: the memory gateway did not say that it is done; ask again under another Idempotency-Key
             * @enum {string}
             */
            memory: "erased" | "not_configured" | "unavailable";
            /** @description Sessions that were ended for it */
            stopped: number;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
            /** @description Letters, digits and ._@:+-; at most 128. */
            user: string;
        };
        /** @enum {string} */
        ErrorCode: "INVALID_JSON" | "VALIDATION_FAILED" | "REQUEST_TIMEOUT" | "PAYLOAD_TOO_LARGE" | "URI_TOO_LONG" | "UNSUPPORTED_MEDIA_TYPE" | "HEADERS_TOO_LARGE" | "PARAMETER_UNSUPPORTED" | "ROUTE_NOT_FOUND" | "UNAUTHENTICATED" | "MFA_REQUIRED" | "FORBIDDEN" | "PRINCIPAL_MISMATCH" | "IDENTITY_DENIED" | "ACCESS_REVOKED" | "TOKEN_NOT_ACCEPTED" | "DELEGATION_TOO_DEEP" | "GATEWAY_REQUIRED" | "LOGIN_REFUSED" | "TENANT_NOT_FOUND" | "TENANT_ID_TAKEN" | "TENANT_CHANGED" | "TENANT_SUSPENDED" | "API_KEY_NOT_FOUND" | "RATE_LIMITED" | "CONCURRENCY_LIMITED" | "QUOTA_EXCEEDED" | "SESSION_NOT_FOUND" | "SESSION_ID_TAKEN" | "ACTION_NOT_ALLOWED" | "SESSION_BUSY" | "SESSION_PAUSED" | "TRANSITION_NOT_ALLOWED" | "QUEUE_FULL" | "TURN_INTERRUPTED" | "IDEMPOTENCY_IN_PROGRESS" | "IDEMPOTENCY_KEY_REUSED" | "SESSION_CANCELED" | "SESSION_TIMED_OUT" | "ANSWER_NOT_IN_TIME" | "ANSWER_CHANGED" | "SESSION_TERMINATED" | "SESSION_LOST" | "START_INCOMPLETE" | "TOO_MANY_STREAMS" | "POLICY_DENIED" | "POLICY_UNAVAILABLE" | "POLICY_BAD_RESPONSE" | "OBLIGATION_UNMET" | "APPROVAL_REQUIRED" | "APPROVAL_NOT_FOUND" | "APPROVAL_MISMATCH" | "APPROVAL_CLOSED" | "APPROVAL_EXPIRED" | "APPROVAL_DENIED" | "OWN_REQUEST" | "BUDGET_EXCEEDED" | "PRICE_UNKNOWN" | "PERMIT_INVALID" | "PERMIT_EXPIRED" | "IDENTITY_UNAVAILABLE" | "IDENTITY_BAD_RESPONSE" | "MODEL_UNAVAILABLE" | "MODEL_BAD_RESPONSE" | "MODEL_REJECTED" | "MODEL_TOKEN_REFUSED" | "MODEL_NOT_FOUND" | "MODEL_PROMPT_TOO_LONG" | "MEMORY_UNAVAILABLE" | "MEMORY_BAD_RESPONSE" | "MEMORY_REJECTED" | "MEMORY_TOKEN_REFUSED" | "MEMORY_NOT_FOUND" | "ORCHESTRATOR_UNAVAILABLE" | "TEMPORAL_UNAVAILABLE" | "AUDIT_UNAVAILABLE" | "AUDIT_BACKLOG_FULL" | "EVENT_CONFLICT" | "CONTENT_ERASED" | "CONTENT_KEY_UNAVAILABLE" | "CONTENT_UNREADABLE" | "SESSION_ENDED" | "NOT_READY" | "INTERNAL";
        EventPage: {
            events: components["schemas"]["AuditEvent"][];
            /** @description Events after `after` that retention has cut; those of the page follow them */
            gap?: {
                /** @description `sequence` of the first event that is gone */
                from: number;
                /** @description `hash` of the last event that is gone */
                hash: string;
                /** @description `sequence` of the last event that is gone */
                to: number;
            };
            /** @description Pass as `after` for the next page; absent when no event is left now */
            next_after?: number;
            /** @description Letters, digits, dot, underscore, hyphen; at most 128; not beginning with 'session-'. */
            session_id: string;
        };
        FieldError: {
            /** @description What is wrong and what is accepted */
            detail: string;
            /** @description JSON pointer of the field, e.g. /metadata/session_id */
            pointer: string;
        };
        IssuedToken: {
            /** @description Seconds */
            expires_in: number;
            token: string;
            /** @enum {string} */
            token_type: "Bearer";
        };
        LoginRequest: {
            /** @description What is asked for, separated by one space; all that the role may have unless given */
            scope?: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
            /** @description The issuer's access token; never its id token */
            token: string;
        };
        OpenaiError: {
            error: {
                code: string;
                message: string;
                param: string | null;
                type: string;
            };
        };
        OpenaiMessage: {
            content?: (string | ({
                text?: string;
                type: string;
            } & {
                [key: string]: unknown;
            })[]) | null;
            role: string;
        } & {
            [key: string]: unknown;
        };
        OpenaiModel: {
            /** @description As the model service says; 0 when it says nothing */
            created: number;
            id: string;
            /** @enum {string} */
            object: "model";
            /** @description As the model service says */
            owned_by: string;
        };
        OpenaiModelList: {
            data: components["schemas"]["OpenaiModel"][];
            /** @enum {string} */
            object: "list";
        };
        OpenaiResponse: {
            access_programs: null;
            completed_at: number | null;
            created_at: number;
            error: {
                code: string;
                message: string;
            } | null;
            /** @description resp_<session id> */
            id: string;
            incomplete_details: {
                /** @enum {string} */
                reason: "max_output_tokens";
            } | null;
            /** @description They stand in the session as its first system message */
            instructions: null;
            max_output_tokens: number | null;
            metadata: {
                [key: string]: string;
            };
            /** @description The model that answered; until then the one that was asked for */
            model: string;
            /** @enum {string} */
            object: "response";
            output: components["schemas"]["OutputMessage"][];
            parallel_tool_calls: boolean;
            /** @enum {string} */
            status: "queued" | "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";
            temperature: number | null;
            text: {
                format: {
                    /** @enum {string} */
                    type: "text";
                };
            };
            /** @enum {string} */
            tool_choice: "none";
            tools: unknown[];
            top_p: number | null;
            /** @enum {string} */
            truncation: "disabled";
            usage: {
                input_tokens: number;
                /** @description 0: not counted */
                input_tokens_details: {
                    cached_tokens: number;
                };
                output_tokens: number;
                /** @description 0: not counted */
                output_tokens_details: {
                    reasoning_tokens: number;
                };
                total_tokens: number;
            } | null;
        };
        OpenApproval: {
            action: string;
            /** @description SHA-256 as sha256:<64 hex digits>. */
            action_digest: string;
            approval_id: string;
            /** @description RFC 3339, UTC */
            expires_at: string;
            granted_by: string[];
            /** @description The text that would be acted on, for those who may read texts */
            prompt?: string;
            quorum: number;
            reasons: string[];
            /** @description Letters, digits and ._@:+-; at most 128. */
            requested_by: string;
            resource: string;
            /** @enum {string} */
            role: "viewer" | "operator" | "approver" | "admin" | "auditor";
            step: string;
        };
        OutputMessage: {
            content: {
                annotations: unknown[];
                logprobs: unknown[];
                text: string;
                /** @enum {string} */
                type: "output_text";
            }[];
            /** @description msg_<session id> */
            id: string;
            /** @enum {string} */
            role: "assistant";
            /** @enum {string} */
            status: "in_progress" | "completed" | "incomplete";
            /** @enum {string} */
            type: "message";
        };
        Problem: {
            code: components["schemas"]["ErrorCode"];
            detail: string;
            errors?: components["schemas"]["FieldError"][];
            request_id: string;
            status: number;
            title: string;
            /** @description urn:soma:problem:<code> */
            type: string;
        };
        ResponseRequest: {
            background?: boolean | null;
            input: string | ({
                content?: (string | ({
                    text?: string;
                    type: string;
                } & {
                    [key: string]: unknown;
                })[]) | null;
                role?: string;
                type?: string;
            } & {
                [key: string]: unknown;
            })[];
            instructions?: string | null;
            max_output_tokens?: number | null;
            metadata?: {
                [key: string]: string;
            } | null;
            /** @description A model of the model service, see /v1/models */
            model?: string;
            stream?: boolean | null;
            stream_options?: {
                /** @enum {boolean} */
                include_obfuscation?: false;
            } | null;
            temperature?: number | null;
            top_p?: number | null;
        } & {
            [key: string]: unknown;
        };
        SessionDiagnosis: {
            /** @description RFC 3339, UTC */
            as_of: string;
            causes: components["schemas"]["Cause"][];
            /** @description Who gave no answer while this was looked into */
            not_asked: {
                /** @enum {string} */
                dependency: "temporal" | "ledger" | "policy-engine" | "identity-service" | "slm" | "kafka" | "memory-gateway";
                /** @description What this diagnosis therefore does not know */
                what: string;
            }[];
            /** @description Letters, digits, dot, underscore, hyphen; at most 128; not beginning with 'session-'. */
            session_id: string;
            status: components["schemas"]["SessionStatus"];
        };
        SessionFailure: {
            code: components["schemas"]["ErrorCode"];
            detail: string;
        };
        SessionPage: {
            /** @description Pass as `cursor` for the next page; absent on the last */
            next_cursor?: string;
            sessions: components["schemas"]["SessionView"][];
        };
        SessionResult: {
            finish_reason: string;
            model: string;
            text: string;
            /** @description SHA-256 as sha256:<64 hex digits>. */
            text_digest: string;
            usage: components["schemas"]["Usage"];
        };
        /** @enum {string} */
        SessionStatus: "starting" | "running" | "waiting_input" | "waiting_approval" | "waiting_budget" | "paused" | "completed" | "denied" | "failed" | "canceled" | "timed_out";
        SessionView: {
            /** @description In the answer to an action */
            accepted?: {
                action: string;
                action_id: string;
                /** @description Of a message: the turn that answers it */
                turn?: number;
            };
            /** @description What the state allows now; what the caller may do is decided by his rights and by policy */
            actions?: ("message" | "approve" | "deny" | "pause" | "resume" | "cancel" | "terminate" | "retry" | "extend-budget")[];
            /** @description What waits for people */
            approvals?: components["schemas"]["OpenApproval"][];
            blocked_code?: components["schemas"]["ErrorCode"];
            /**
             * @description What is down while the session waits for it
             * @enum {string}
             */
            blocked_on?: "temporal" | "ledger" | "policy-engine" | "identity-service" | "slm" | "kafka" | "memory-gateway";
            budget?: components["schemas"]["BudgetView"];
            capsule?: string;
            /** @description RFC 3339, UTC */
            created_at: string;
            decision?: components["schemas"]["DecisionSummary"];
            error?: components["schemas"]["SessionFailure"];
            labels: string[];
            /** @description Position of the newest event in the session's ledger */
            last_seq: number;
            /** @description Received, and their turns have not begun */
            messages_waiting?: number;
            /** @enum {string} */
            mode?: "task" | "interactive";
            model?: string;
            result?: components["schemas"]["SessionResult"];
            run_id?: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 128; not beginning with 'session-'. */
            session_id: string;
            status: components["schemas"]["SessionStatus"];
            task_queue: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
            /**
             * @description Why a text of the session is not there: its user's texts were erased, or their time was over
             * @enum {string}
             */
            texts_gone?: "erased" | "retention";
            token?: components["schemas"]["TokenSummary"];
            /** @description Of an interactive session: the turn under way, the next one once its message is there, or the last one */
            turn?: number;
            /** @description Why the last turn has no answer */
            turn_failure?: {
                code: components["schemas"]["ErrorCode"];
                detail: string;
            };
            /** @description RFC 3339, UTC */
            updated_at: string;
            /** @description Letters, digits and ._@:+-; at most 128. */
            user: string;
            workflow_id: string;
        };
        StartSessionAccepted: {
            run_id: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 128; not beginning with 'session-'. */
            session_id: string;
            status: components["schemas"]["SessionStatus"];
            task_queue: string;
            workflow_id: string;
        };
        StartSessionRequest: {
            budget?: components["schemas"]["Budget"];
            /** @description An interactive session completes after so long without a message; a day unless given */
            idle_seconds?: number;
            /** @description Instead of `prompt`: a conversation, at most 100 KiB in all as canonical JSON with its sampling */
            messages?: {
                content: string;
                /** @enum {string} */
                role: "system" | "developer" | "user" | "assistant";
            }[];
            /** @description At most 16 KiB, 64 keys, depth 8. session_id, labels and capsule have a meaning; the rest is yours. */
            metadata?: {
                [key: string]: unknown;
            };
            /**
             * @description interactive: stays open for messages; task, unless given: ends with its answer
             * @enum {string}
             */
            mode?: "task" | "interactive";
            /** @description A model of the model service; its default if left out */
            model?: string;
            /** @description At most 100 KiB; this or `messages` is required */
            prompt?: string;
            /** @description With `messages` only */
            sampling?: {
                max_tokens?: number;
                seed?: number;
                stop?: string[];
                temperature?: number;
                top_p?: number;
            };
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant?: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant_id?: string;
            /** @description Letters, digits and ._@:+-; at most 128. */
            user?: string;
            /** @description Letters, digits and ._@:+-; at most 128. */
            user_id?: string;
        };
        StopReport: {
            /** @description Those that ended by themselves before it came to them */
            already_ended: number;
            scope: components["schemas"]["StopScope"];
            stop_id: string;
            /** @description Sessions whose end is recorded */
            stopped: string[];
            tokens: {
                /** @description API keys that stopped sessions were started with; a stop ends no key */
                api_keys: string[];
                /** @description The identity service did not answer */
                not_revoked: number;
                revoked: number;
            };
            /** @description Sessions of which it cannot be said that they have stopped, and why */
            unknown: {
                /** @description Letters, digits, dot, underscore, hyphen; at most 128; not beginning with 'session-'. */
                session_id: string;
                /** @enum {string} */
                why: "temporal_unavailable" | "effect_under_way" | "not_ended_yet" | "not_recorded" | "not_in_time";
            }[];
        };
        StopRequest: {
            /** @description For people; stands in the ledgers */
            reason: string;
            scope: components["schemas"]["StopScope"];
            /** @description The id of the session, the user or the agent; not with tenant and all */
            target?: string;
            /** @description Another tenant than your own, for the installation's admins */
            tenant?: string;
        };
        /** @enum {string} */
        StopScope: "session" | "user" | "agent" | "tenant" | "all";
        TenantActionRequest: {
            reason?: string;
        };
        TenantAdmission: {
            quotas: components["schemas"]["TenantQuotas"];
            /** @enum {string} */
            status: "active" | "suspended";
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
            usage: components["schemas"]["TenantUsage"];
        };
        TenantEvent: {
            agent: string;
            /** @enum {string} */
            authn: "token" | "unauthenticated-loopback" | "temporal-client" | "service";
            data: {
                [key: string]: unknown;
            };
            /** @enum {string} */
            datacontenttype: "application/json";
            /** @description What the event is within its session, e.g. step-1/policy.decided */
            eventkey: string;
            /** @description SHA-256 as sha256:<64 hex digits>. */
            hash: string;
            id: string;
            /** @description SHA-256 as sha256:<64 hex digits>. */
            prevhash: string;
            sequence: number;
            /** @description /tenants/<tenant> */
            source: string;
            /** @enum {string} */
            specversion: "1.0";
            subject: string;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
            /** @description RFC 3339, UTC */
            time: string;
            traceparent?: string;
            /** @enum {string} */
            type: "tenant.created" | "tenant.updated" | "tenant.suspended" | "tenant.resumed" | "api_key.created" | "api_key.revoked" | "change.denied" | "access.refused" | "sessions.stop_requested" | "sessions.stopped" | "subject.erasure_requested" | "subject.erased" | "retention.applied";
            /** @description Letters, digits and ._@:+-; at most 128. */
            user: string;
        };
        TenantEventPage: {
            events: components["schemas"]["TenantEvent"][];
            /** @description Pass as `after` for the next page; absent when no event is left now */
            next_after?: number;
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
        };
        TenantPage: {
            next_cursor?: string;
            tenants: components["schemas"]["TenantView"][];
        };
        TenantQuotas: {
            /** @description Requests under way, streams apart */
            concurrent_requests: number;
            /** @description Money of a day in UTC, in millionths of the price table's currency; unbounded unless given */
            cost_micros_per_day?: number;
            requests_per_minute: number;
            /** @description Sessions that have not ended */
            running_sessions: number;
            /** @description Open event streams */
            streams: number;
            /** @description Model tokens, prompt and completion, of a day in UTC */
            tokens_per_day: number;
        };
        TenantUsage: {
            cost_micros_today?: number;
            running_sessions: number;
            tokens_today: number;
        };
        TenantView: {
            /** @description RFC 3339, UTC */
            created_at: string;
            issuers: components["schemas"]["TrustedIssuer"][];
            name?: string;
            /** @description A shared pack of the policy engine; a pack that names the tenant goes before it */
            policy_pack?: string;
            quotas: components["schemas"]["TenantQuotas"];
            /** @description For so long texts and ended sessions are kept */
            retention_days?: number;
            /** @enum {string} */
            status: "active" | "suspended";
            /** @description Letters, digits, dot, underscore, hyphen; at most 64. */
            tenant: string;
            /** @description RFC 3339, UTC */
            updated_at: string;
            usage?: components["schemas"]["TenantUsage"];
            /** @description Position of the newest change in the tenant's ledger */
            version: number;
        };
        TokenSummary: {
            expires_at: string;
            jti: string;
            scopes: string[];
        };
        TrustedIssuer: {
            algorithms: ("RS256" | "PS256" | "ES256" | "EdDSA")[];
            /** @description Claim `aud`, to the letter */
            audience: string;
            /** @enum {string} */
            default_role?: "viewer" | "operator" | "approver" | "admin" | "auditor";
            /** @description Claim `iss`, to the letter; https, or http on this machine */
            issuer: string;
            /** @description Where its keys are; https, or http on this machine */
            jwks_uri: string;
            /** @description A text, or a list of which the first known one counts */
            role_claim?: string;
            /** @description What each value of `role_claim` is here; a value that is not listed is none */
            roles: {
                [key: string]: "viewer" | "operator" | "approver" | "admin" | "auditor";
            };
            /**
             * @description Names the user
             * @default sub
             */
            user_claim: string;
        };
        UpdateTenantRequest: {
            issuers?: components["schemas"]["TrustedIssuer"][];
            name?: string;
            /** @description A shared pack of the policy engine; a pack that names the tenant goes before it */
            policy_pack?: string;
            quotas?: {
                /** @description Requests under way, streams apart */
                concurrent_requests?: number;
                /** @description Money of a day in UTC, in millionths of the price table's currency; unbounded unless given */
                cost_micros_per_day?: number;
                requests_per_minute?: number;
                /** @description Sessions that have not ended */
                running_sessions?: number;
                /** @description Open event streams */
                streams?: number;
                /** @description Model tokens, prompt and completion, of a day in UTC */
                tokens_per_day?: number;
            };
            /** @description For so long texts and ended sessions are kept */
            retention_days?: number;
            /** @description The version that the change was made for; another one is TENANT_CHANGED */
            version?: number;
        };
        Usage: {
            completion_tokens: number;
            prompt_tokens: number;
            total_tokens: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
