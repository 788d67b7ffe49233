-- The ledger of all sessions. Times are RFC 3339 in UTC with milliseconds, digests are sha256:<hex>.
-- Each table with a tenant shows and takes rows of the tenant in soma.tenant only, which a transaction sets for itself:
-- a query that forgot its WHERE finds nothing of a stranger. FORCE, because the role of the service owns the tables.

CREATE TABLE soma.sessions (
  -- Unique over all tenants: the id of the workflow is made of it.
  session_id text PRIMARY KEY,
  tenant text NOT NULL CHECK (tenant <> ''),
  -- Position of its first event: pages go by it, because clocks may step back and a sequence has no order of commits.
  -- NULL inside the transaction that creates the session only.
  ordinal bigint,
  user_id text NOT NULL,
  capsule text,
  status text NOT NULL,
  -- COLLATE "C": order of text is order of time.
  created_at text COLLATE "C" NOT NULL,
  workflow_id text NOT NULL,
  run_id text,
  last_seq integer NOT NULL,
  last_hash text NOT NULL,
  -- What the session's events say, as JSON; replaying them gives the same.
  projection text NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX sessions_by_tenant ON soma.sessions (tenant, ordinal);
CREATE INDEX sessions_by_status ON soma.sessions (tenant, status, ordinal);
CREATE INDEX sessions_by_user ON soma.sessions (tenant, user_id, ordinal);

CREATE TABLE soma.session_labels (
  tenant text NOT NULL,
  session_id text NOT NULL REFERENCES soma.sessions,
  label text NOT NULL,
  PRIMARY KEY (session_id, label)
);

CREATE TABLE soma.events (
  -- Order of commits over all sessions, from 1 without a gap.
  position bigint PRIMARY KEY,
  id text NOT NULL UNIQUE,
  tenant text NOT NULL,
  session_id text NOT NULL REFERENCES soma.sessions,
  seq integer NOT NULL,
  -- The canonical JSON (RFC 8785) that every reader gets, byte for byte.
  json text NOT NULL,
  UNIQUE (session_id, seq)
);

CREATE TABLE soma.contents (
  tenant text NOT NULL,
  digest text NOT NULL,
  media_type text NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (tenant, digest)
);

CREATE TABLE soma.idempotency (
  tenant text NOT NULL,
  key text NOT NULL,
  request_digest text NOT NULL,
  session_id text NOT NULL REFERENCES soma.sessions,
  created_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, key)
);

CREATE INDEX idempotency_by_age ON soma.idempotency (tenant, created_at);

-- One row that readiness writes, so that "writable" is a fact and not a guess.
CREATE TABLE soma.readiness (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  checked_at text NOT NULL
);

-- Events: appended in order, placed, and never touched again.

-- Whoever inserts an event holds one lock from here until its commit, and takes the position after the newest that is
-- committed: positions are in the order of commits and without a gap. A sequence would not do: it gives its numbers
-- before the commit, so that a reader could pass 7 while 6 is not there yet, and would miss it for ever. The lock comes
-- first and the query after it: in READ COMMITTED the query then sees what the last holder has committed; at a stricter
-- level it would find a position that is taken, and fail by the primary key.
CREATE FUNCTION soma.place_event() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7307180202612);
  NEW.position := soma.last_position() + 1;
  -- The one before is there, and UNIQUE says that this one is not. Not by max(seq): before the first ANALYZE, that is
  -- planned as a scan of the whole session.
  IF NEW.seq <> 1 AND NOT EXISTS (
    SELECT 1 FROM soma.events e WHERE e.session_id = NEW.session_id AND e.seq = NEW.seq - 1
  ) THEN
    RAISE EXCEPTION 'events are append-only and without gaps' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.seq = 1 THEN
    UPDATE soma.sessions s SET ordinal = NEW.position WHERE s.session_id = NEW.session_id;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER events_follow_each_other BEFORE INSERT ON soma.events
FOR EACH ROW EXECUTE FUNCTION soma.place_event();

CREATE FUNCTION soma.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% are append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;

-- For each statement and not for each row: row-level security would hide the rows from the trigger, not from the reader
-- of this file who thinks that something was refused.
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON soma.events
FOR EACH STATEMENT EXECUTE FUNCTION soma.refuse_change();

CREATE TRIGGER sessions_never_go BEFORE DELETE OR TRUNCATE ON soma.sessions
FOR EACH STATEMENT EXECUTE FUNCTION soma.refuse_change();

CREATE FUNCTION soma.refuse_reopening() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'no session leaves a terminal state' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER sessions_stay_ended BEFORE UPDATE OF status ON soma.sessions FOR EACH ROW
WHEN (OLD.status IN ('completed', 'denied', 'failed', 'canceled', 'timed_out') AND NEW.status <> OLD.status)
EXECUTE FUNCTION soma.refuse_reopening();

-- Tenants.

ALTER TABLE soma.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.session_labels ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.session_labels FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.events FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.contents ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.contents FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.idempotency FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_alone ON soma.sessions USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.session_labels USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.events USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.contents USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.idempotency USING (tenant = current_setting('soma.tenant', true));

-- The readers of all tenants: functions that name what they are while they read, and no longer. (SET in the head of a
-- function would say the same, but with a setting of ours it takes a superuser to create that.)

CREATE POLICY tail_reads_all ON soma.events FOR SELECT USING (current_setting('soma.reader', true) = 'tail');
CREATE POLICY holder_is_found ON soma.sessions FOR SELECT USING (current_setting('soma.reader', true) = 'tenant_of');

CREATE FUNCTION soma.tail_events(after_position bigint, row_limit integer)
RETURNS TABLE ("position" bigint, json text) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'tail', true);
  RETURN QUERY
    SELECT e.position, e.json FROM soma.events e WHERE e.position > after_position ORDER BY e.position LIMIT row_limit;
  PERFORM set_config('soma.reader', '', true);
END $$;

CREATE FUNCTION soma.last_position() RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  newest bigint;
BEGIN
  PERFORM set_config('soma.reader', 'tail', true);
  SELECT e.position INTO newest FROM soma.events e ORDER BY e.position DESC LIMIT 1;
  PERFORM set_config('soma.reader', '', true);
  RETURN coalesce(newest, 0);
END $$;

CREATE FUNCTION soma.tenant_of(id text) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  holder text;
BEGIN
  PERFORM set_config('soma.reader', 'tenant_of', true);
  SELECT s.tenant INTO holder FROM soma.sessions s WHERE s.session_id = id;
  PERFORM set_config('soma.reader', '', true);
  RETURN holder;
END $$;
