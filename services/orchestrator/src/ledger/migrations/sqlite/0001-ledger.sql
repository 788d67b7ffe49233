-- The ledger of all sessions. Times are RFC 3339 in UTC with milliseconds, digests are sha256:<hex>.

CREATE TABLE sessions (
  -- Order of creation: pages go by it, because clocks may step back.
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Unique over all tenants: the id of the workflow is made of it.
  session_id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  capsule TEXT,
  status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  run_id TEXT,
  last_seq INTEGER NOT NULL,
  last_hash TEXT NOT NULL,
  -- What the session's events say, as JSON; replaying them gives the same.
  projection TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_by_tenant ON sessions (tenant, ordinal);
CREATE INDEX sessions_by_status ON sessions (tenant, status, ordinal);
CREATE INDEX sessions_by_user ON sessions (tenant, user_id, ordinal);

CREATE TABLE session_labels (
  session_id TEXT NOT NULL REFERENCES sessions (session_id),
  label TEXT NOT NULL,
  PRIMARY KEY (session_id, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  -- Order of commits over all sessions. There is one writer at a time, so no smaller one is committed later.
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (session_id),
  seq INTEGER NOT NULL,
  -- The canonical JSON (RFC 8785) that every reader gets, byte for byte.
  json TEXT NOT NULL,
  UNIQUE (session_id, seq)
) STRICT;

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TRIGGER events_never_go BEFORE DELETE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;

-- INSERT OR REPLACE deletes without the trigger above (https://www.sqlite.org/lang_conflict.html).
CREATE TRIGGER events_follow_each_other BEFORE INSERT ON events
WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM events WHERE session_id = NEW.session_id), 0)
  OR EXISTS (SELECT 1 FROM events WHERE id = NEW.id OR position = NEW.position)
BEGIN
  SELECT RAISE(ABORT, 'events are append-only and without gaps');
END;

CREATE TRIGGER sessions_stay_ended BEFORE UPDATE OF status ON sessions
WHEN OLD.status IN ('completed', 'denied', 'failed', 'canceled', 'timed_out') AND NEW.status <> OLD.status
BEGIN
  SELECT RAISE(ABORT, 'no session leaves a terminal state');
END;

CREATE TABLE contents (
  tenant TEXT NOT NULL,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (tenant, digest)
) STRICT;

CREATE TABLE idempotency (
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (session_id),
  created_at TEXT NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- One row that readiness writes, so that "writable" is a fact and not a guess.
CREATE TABLE readiness (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  checked_at TEXT NOT NULL
) STRICT;
