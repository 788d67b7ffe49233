-- What is set aside of a tenant's day for effects that began and have no outcome yet. A row goes with the outcome of its
-- effect, or with the end of its session; until then its amount stands in the reserved columns of its day.

ALTER TABLE tenant_usage ADD COLUMN cost_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenant_usage ADD COLUMN reserved_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenant_usage ADD COLUMN reserved_cost_micros INTEGER NOT NULL DEFAULT 0;

CREATE TABLE tenant_reservations (
  tenant TEXT NOT NULL,
  effect_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  -- Of the intent: an outcome after midnight settles on the day that it was set aside on.
  day TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  cost_micros INTEGER NOT NULL,
  PRIMARY KEY (tenant, effect_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX tenant_reservations_by_session ON tenant_reservations (tenant, session_id);
