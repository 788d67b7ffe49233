-- What the reconciler goes through: a session leaves this index when it ends, so that its size is what is under way.
CREATE INDEX sessions_unended ON sessions (ordinal)
WHERE status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out');
