-- Tenants as objects, each with a ledger of its own in the same events, positions and relay: its subject, "tenant:<id>",
-- stands where a session's id stands. So an event no longer belongs to a session alone.

CREATE TABLE soma.tenants (
  tenant text COLLATE "C" PRIMARY KEY,
  status text NOT NULL,
  -- Position of the newest change in the tenant's ledger; refusals and keys, which change nothing of it, do not count.
  version integer NOT NULL,
  -- The newest version that the identity service has taken over.
  announced_version integer NOT NULL,
  last_seq integer NOT NULL,
  last_hash text NOT NULL,
  -- What the tenant's events say, as JSON; replaying them gives the same.
  projection text NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX tenants_to_announce ON soma.tenants (tenant) WHERE announced_version < version;

-- What counts against running_sessions.
CREATE INDEX sessions_running ON soma.sessions (tenant)
WHERE status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out');

-- Model tokens of a tenant and a day in UTC, added where an effect's outcome is recorded.
CREATE TABLE soma.tenant_usage (
  tenant text NOT NULL,
  day text NOT NULL,
  tokens bigint NOT NULL,
  PRIMARY KEY (tenant, day)
) WITH (fillfactor = 50);

-- Idempotency keys of changes to a tenant, for 24 h each, with what the tenant was after the first request with the key.
CREATE TABLE soma.tenant_changes (
  tenant text NOT NULL,
  key text NOT NULL,
  request_digest text NOT NULL,
  projection text NOT NULL,
  created_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, key)
);

ALTER TABLE soma.events DROP CONSTRAINT events_session_id_fkey;

-- What the reference said, for both kinds of stream, and that it is the same tenant's: row-level security shows the
-- stream's row to its own tenant alone.
CREATE FUNCTION soma.require_stream() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM soma.sessions s WHERE s.session_id = NEW.session_id AND s.tenant = NEW.tenant) THEN
    RETURN NEW;
  END IF;
  IF NEW.session_id = 'tenant:' || NEW.tenant AND EXISTS (SELECT 1 FROM soma.tenants t WHERE t.tenant = NEW.tenant) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'no session and no tenant has this stream' USING ERRCODE = 'foreign_key_violation';
END $$;

-- Before the trigger that takes the lock of the positions, which goes by name after this one.
CREATE TRIGGER events_are_of_a_stream BEFORE INSERT ON soma.events
FOR EACH ROW EXECUTE FUNCTION soma.require_stream();

CREATE TRIGGER tenants_never_go BEFORE DELETE OR TRUNCATE ON soma.tenants
FOR EACH STATEMENT EXECUTE FUNCTION soma.refuse_change();

ALTER TABLE soma.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.tenant_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.tenant_usage FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.tenant_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.tenant_changes FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_alone ON soma.tenants USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.tenant_usage USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.tenant_changes USING (tenant = current_setting('soma.tenant', true));

-- The readers of all tenants: the list that the installation's own admins get, and what identity has not heard yet.

CREATE POLICY tenants_are_listed ON soma.tenants FOR SELECT USING (current_setting('soma.reader', true) = 'tenants');

CREATE FUNCTION soma.list_tenants(after_tenant text, row_limit integer)
RETURNS SETOF soma.tenants LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'tenants', true);
  RETURN QUERY SELECT * FROM soma.tenants t WHERE t.tenant > after_tenant ORDER BY t.tenant LIMIT row_limit;
  PERFORM set_config('soma.reader', '', true);
END $$;

CREATE FUNCTION soma.unannounced_tenants(after_tenant text, row_limit integer)
RETURNS SETOF soma.tenants LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'tenants', true);
  RETURN QUERY
    SELECT * FROM soma.tenants t WHERE t.announced_version < t.version AND t.tenant > after_tenant
    ORDER BY t.tenant LIMIT row_limit;
  PERFORM set_config('soma.reader', '', true);
END $$;
