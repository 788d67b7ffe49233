-- Tenants as objects, each with a ledger of its own in the same events, positions and relay: its subject, "tenant:<id>",
-- stands where a session's id stands. So an event no longer belongs to a session alone, and SQLite takes a reference
-- away only with its table: what is recorded is copied as it is, positions included. That takes the disk as much room
-- again as the events have, for as long as it lasts.

CREATE TABLE tenants (
  tenant TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  -- Position of the newest change in the tenant's ledger; refusals and keys, which change nothing of it, do not count.
  version INTEGER NOT NULL,
  -- The newest version that the identity service has taken over.
  announced_version INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_hash TEXT NOT NULL,
  -- What the tenant's events say, as JSON; replaying them gives the same.
  projection TEXT NOT NULL
) STRICT;

CREATE INDEX tenants_to_announce ON tenants (tenant) WHERE announced_version < version;

-- What counts against running_sessions.
CREATE INDEX sessions_running ON sessions (tenant)
WHERE status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out');

-- Model tokens of a tenant and a day in UTC, added where an effect's outcome is recorded.
CREATE TABLE tenant_usage (
  tenant TEXT NOT NULL,
  day TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (tenant, day)
) STRICT, WITHOUT ROWID;

-- Idempotency keys of changes to a tenant, for 24 h each, with what the tenant was after the first request with the key.
CREATE TABLE tenant_changes (
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  projection TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX tenant_changes_by_age ON tenant_changes (created_at);

CREATE TABLE all_events (
  -- Order of commits over all streams. There is one writer at a time, so no smaller one is committed later.
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  -- The event's subject: a session's id, or "tenant:" and the tenant.
  session_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  -- The canonical JSON (RFC 8785) that every reader gets, byte for byte.
  json TEXT NOT NULL,
  UNIQUE (session_id, seq)
) STRICT;

INSERT INTO all_events SELECT * FROM events ORDER BY position;
DROP TABLE events;
ALTER TABLE all_events RENAME TO events;

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

-- What the reference said, for both kinds of stream, and that it is the same tenant's.
CREATE TRIGGER events_have_their_stream BEFORE INSERT ON events
WHEN NOT EXISTS (SELECT 1 FROM sessions WHERE session_id = NEW.session_id AND tenant = NEW.tenant)
  AND NOT EXISTS (SELECT 1 FROM tenants WHERE tenant = NEW.tenant AND 'tenant:' || tenant = NEW.session_id)
BEGIN
  SELECT RAISE(ABORT, 'no session and no tenant has this stream');
END;

-- The reference kept sessions with events in place; now this does.
CREATE TRIGGER sessions_never_go BEFORE DELETE ON sessions
BEGIN
  SELECT RAISE(ABORT, 'sessions are append-only');
END;

CREATE TRIGGER tenants_never_go BEFORE DELETE ON tenants
BEGIN
  SELECT RAISE(ABORT, 'tenants are append-only');
END;
