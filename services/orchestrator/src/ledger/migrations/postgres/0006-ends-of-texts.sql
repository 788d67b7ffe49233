-- What ends before the ledger does: texts whose subject is erased, and events whose time is over.

-- When the session ended, and how far retention has cut it: events up to cut_to are gone, cut_hash is the hash of the
-- last of them. Session and id stay, so that nothing takes the id again.
ALTER TABLE soma.sessions ADD COLUMN ended_at text COLLATE "C";
ALTER TABLE soma.sessions ADD COLUMN cut_to integer;
ALTER TABLE soma.sessions ADD COLUMN cut_hash text;

-- Which sessions name a text: with the last of them it goes.
CREATE TABLE soma.content_names (
  session_id text NOT NULL,
  digest text NOT NULL,
  tenant text NOT NULL,
  user_id text NOT NULL,
  PRIMARY KEY (session_id, digest)
);

-- For what is there already the owner steps aside from its own policies, within this transaction only.
ALTER TABLE soma.sessions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.events NO FORCE ROW LEVEL SECURITY;

UPDATE soma.sessions SET ended_at = projection::jsonb ->> 'updated_at'
WHERE status IN ('completed', 'denied', 'failed', 'canceled', 'timed_out');

INSERT INTO soma.content_names
SELECT e.session_id, n.value, e.tenant, e.json::jsonb ->> 'user'
FROM soma.events e JOIN soma.sessions s ON s.session_id = e.session_id, jsonb_each_text(e.json::jsonb -> 'data') n
WHERE n.key IN ('prompt_digest', 'metadata_digest', 'result_digest', 'message_digest', 'base_hash')
ON CONFLICT DO NOTHING;

ALTER TABLE soma.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.events FORCE ROW LEVEL SECURITY;

CREATE INDEX content_names_by_text ON soma.content_names (tenant, user_id, digest);

-- By a trigger, so that a process of the version before, which still runs, says it, too.
CREATE FUNCTION soma.say_when_it_ended() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.ended_at := NEW.projection::jsonb ->> 'updated_at';
  RETURN NEW;
END $$;

CREATE TRIGGER sessions_say_when_they_ended BEFORE UPDATE OF status ON soma.sessions FOR EACH ROW
WHEN (NEW.status IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
  AND OLD.status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out'))
EXECUTE FUNCTION soma.say_when_it_ended();

-- What retention goes through: a session leaves this index when it is cut.
CREATE INDEX sessions_to_cut ON soma.sessions (tenant, ended_at) WHERE ended_at IS NOT NULL AND cut_to IS NULL;

-- A cut is made once, of a session that has ended, and leaves its last event.
CREATE FUNCTION soma.check_cut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.cut_to IS NOT NULL
    OR OLD.status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
    OR NEW.cut_to >= OLD.last_seq
    OR NOT EXISTS (
      SELECT 1 FROM soma.events e WHERE e.session_id = OLD.session_id AND e.seq = NEW.cut_to
        AND e.json::jsonb ->> 'hash' = NEW.cut_hash
    )
  THEN
    RAISE EXCEPTION 'this session cannot be cut here' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER sessions_are_cut_once BEFORE UPDATE OF cut_to, cut_hash ON soma.sessions
FOR EACH ROW EXECUTE FUNCTION soma.check_cut();

-- Events go for nothing but a cut that is recorded. A trigger of rows sees what row-level security lets the statement
-- see, and nothing else can be deleted by it.
DROP TRIGGER events_never_change ON soma.events;
CREATE TRIGGER events_never_change BEFORE UPDATE OR TRUNCATE ON soma.events
FOR EACH STATEMENT EXECUTE FUNCTION soma.refuse_change();

CREATE FUNCTION soma.keep_uncut() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM soma.sessions s WHERE s.session_id = OLD.session_id AND OLD.seq <= s.cut_to) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER events_never_go BEFORE DELETE ON soma.events FOR EACH ROW EXECUTE FUNCTION soma.keep_uncut();

-- Requests whose answer is kept for 24 h under their idempotency key; without an answer one has begun.
CREATE TABLE soma.kept_answers (
  tenant text NOT NULL,
  key text NOT NULL,
  request_digest text NOT NULL,
  answer text,
  created_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, key)
);

-- A text under a key that was destroyed meanwhile could be read by nobody: its writer takes a new key. The lock makes
-- writer and eraser wait for each other, so that neither misses the other.
CREATE FUNCTION soma.require_key() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  destroyed boolean;
BEGIN
  SELECT k.wrapped IS NULL INTO destroyed FROM soma.content_keys k WHERE k.key_id = NEW.key_id FOR SHARE;
  IF destroyed THEN
    RAISE EXCEPTION 'the content key was destroyed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER contents_have_a_key BEFORE INSERT ON soma.contents FOR EACH ROW EXECUTE FUNCTION soma.require_key();

-- What is destroyed stays so, as far as it depends on this database.
CREATE FUNCTION soma.refuse_revival() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'a content key that was destroyed stays so' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER content_keys_stay_destroyed BEFORE UPDATE ON soma.content_keys FOR EACH ROW
WHEN (OLD.wrapped IS NULL AND NEW.wrapped IS NOT NULL)
EXECUTE FUNCTION soma.refuse_revival();

ALTER TABLE soma.content_names ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.content_names FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.kept_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.kept_answers FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_alone ON soma.content_names USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.kept_answers USING (tenant = current_setting('soma.tenant', true));
