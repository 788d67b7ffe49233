import { vectorSize } from "./memory-store.ts";

/** Applied as a whole at each start; a change is a statement more. Vectors stand in the row of their passage. */
export const postgresSchema = `
  CREATE SCHEMA IF NOT EXISTS soma_memory;
  CREATE TABLE IF NOT EXISTS soma_memory.subject_keys (
    tenant text NOT NULL, "user" text NOT NULL, key_id text NOT NULL, master_key_id text NOT NULL, wrapped bytea NOT NULL,
    PRIMARY KEY (tenant, "user")
  );
  CREATE TABLE IF NOT EXISTS soma_memory.memories (
    id text PRIMARY KEY, tenant text NOT NULL, "user" text NOT NULL, lookup text NOT NULL, sealed bytea NOT NULL,
    content text NOT NULL, idempotency_key text, passages integer NOT NULL,
    created_at bigint NOT NULL, updated_at bigint NOT NULL, expires_at bigint,
    UNIQUE (tenant, "user", lookup)
  );
  CREATE INDEX IF NOT EXISTS memories_of_subject ON soma_memory.memories (tenant, "user", id);
  CREATE INDEX IF NOT EXISTS memories_by_end ON soma_memory.memories (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS soma_memory.passages (
    memory_id text NOT NULL REFERENCES soma_memory.memories (id) ON DELETE CASCADE, position integer NOT NULL,
    tenant text NOT NULL, "user" text NOT NULL, sealed bytea NOT NULL, vector vector(${String(vectorSize)}) NOT NULL,
    PRIMARY KEY (memory_id, position)
  );
  CREATE INDEX IF NOT EXISTS passages_of_subject ON soma_memory.passages (tenant, "user");
  CREATE TABLE IF NOT EXISTS soma_memory.settings (name text PRIMARY KEY, value text NOT NULL);
  CREATE TABLE IF NOT EXISTS soma_memory.probe (id integer PRIMARY KEY CHECK (id = 1), written_at bigint NOT NULL);
`;
