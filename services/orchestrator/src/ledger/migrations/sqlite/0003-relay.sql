-- What the audit topic has got of the ledger, and who may deliver to it. Times are milliseconds since 1970.

CREATE TABLE relay (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  holder TEXT,
  -- Fencing token: whoever takes the lease from another gets the next one.
  token INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Every event up to this position is in the topic or in dead_letters.
  cursor INTEGER NOT NULL
) STRICT;

INSERT INTO relay VALUES (1, NULL, 0, 0, 0);

CREATE TRIGGER relay_never_goes_back BEFORE UPDATE ON relay
WHEN NEW.cursor < OLD.cursor OR NEW.token < OLD.token
BEGIN
  SELECT RAISE(ABORT, 'the relay never goes back');
END;

-- Events that the topic cannot take. Their content stays where it is: in events, at this position.
CREATE TABLE dead_letters (
  position INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
