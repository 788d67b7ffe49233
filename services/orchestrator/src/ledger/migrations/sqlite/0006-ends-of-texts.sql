-- What ends before the ledger does: texts whose subject is erased, and events whose time is over.

-- When the session ended, and how far retention has cut it: events up to cut_to are gone, cut_hash is the hash of the
-- last of them. Session and id stay, so that nothing takes the id again.
ALTER TABLE sessions ADD COLUMN ended_at TEXT;
ALTER TABLE sessions ADD COLUMN cut_to INTEGER;
ALTER TABLE sessions ADD COLUMN cut_hash TEXT;

UPDATE sessions SET ended_at = json_extract(projection, '$.updated_at')
WHERE status IN ('completed', 'denied', 'failed', 'canceled', 'timed_out');

-- By a trigger, so that a process of the version before, which still runs, says it, too.
CREATE TRIGGER sessions_say_when_they_ended AFTER UPDATE OF status ON sessions
WHEN NEW.status IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
  AND OLD.status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
BEGIN
  UPDATE sessions SET ended_at = json_extract(NEW.projection, '$.updated_at') WHERE session_id = NEW.session_id;
END;

-- What retention goes through: a session leaves this index when it is cut.
CREATE INDEX sessions_to_cut ON sessions (tenant, ended_at) WHERE ended_at IS NOT NULL AND cut_to IS NULL;

-- A cut is made once, of a session that has ended, and leaves its last event.
CREATE TRIGGER sessions_are_cut_once BEFORE UPDATE OF cut_to, cut_hash ON sessions
WHEN OLD.cut_to IS NOT NULL
  OR OLD.status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
  OR NEW.cut_to >= OLD.last_seq
  OR NOT EXISTS (
    SELECT 1 FROM events e WHERE e.session_id = OLD.session_id AND e.seq = NEW.cut_to
      AND json_extract(e.json, '$.hash') = NEW.cut_hash
  )
BEGIN
  SELECT RAISE(ABORT, 'this session cannot be cut here');
END;

-- Events go for nothing but a cut that is recorded.
DROP TRIGGER events_never_go;
CREATE TRIGGER events_never_go BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM sessions s WHERE s.session_id = OLD.session_id AND OLD.seq <= s.cut_to)
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;

-- Which sessions name a text: with the last of them it goes.
CREATE TABLE content_names (
  session_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (session_id, digest)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO content_names
SELECT e.session_id, t.value, e.tenant, json_extract(e.json, '$.user')
FROM events e JOIN sessions s ON s.session_id = e.session_id, json_each(e.json, '$.data') t
WHERE t.key IN ('prompt_digest', 'metadata_digest', 'result_digest', 'message_digest', 'base_hash');

CREATE INDEX content_names_by_text ON content_names (tenant, user_id, digest);

-- Requests whose answer is kept for 24 h under their idempotency key; without an answer one has begun.
CREATE TABLE kept_answers (
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  answer TEXT,
  created_at TEXT NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_answers_by_age ON kept_answers (created_at);

-- A text under a key that was destroyed meanwhile could be read by nobody: its writer takes a new key.
CREATE TRIGGER contents_have_a_key BEFORE INSERT ON contents
WHEN EXISTS (SELECT 1 FROM content_keys k WHERE k.key_id = NEW.key_id AND k.wrapped IS NULL)
BEGIN
  SELECT RAISE(ABORT, 'the content key was destroyed');
END;

-- What is destroyed stays so, as far as it depends on this database.
CREATE TRIGGER content_keys_stay_destroyed BEFORE UPDATE ON content_keys
WHEN OLD.wrapped IS NULL AND NEW.wrapped IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a content key that was destroyed stays so');
END;
