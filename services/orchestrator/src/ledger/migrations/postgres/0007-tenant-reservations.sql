-- What is set aside of a tenant's day for effects that began and have no outcome yet. A row goes with the outcome of its
-- effect, or with the end of its session; until then its amount stands in the reserved columns of its day.

ALTER TABLE soma.tenant_usage ADD COLUMN cost_micros bigint NOT NULL DEFAULT 0;
ALTER TABLE soma.tenant_usage ADD COLUMN reserved_tokens bigint NOT NULL DEFAULT 0;
ALTER TABLE soma.tenant_usage ADD COLUMN reserved_cost_micros bigint NOT NULL DEFAULT 0;

CREATE TABLE soma.tenant_reservations (
  tenant text NOT NULL,
  effect_key text NOT NULL,
  session_id text NOT NULL,
  -- Of the intent: an outcome after midnight settles on the day that it was set aside on.
  day text NOT NULL,
  tokens bigint NOT NULL,
  cost_micros bigint NOT NULL,
  PRIMARY KEY (tenant, effect_key)
) WITH (fillfactor = 70);

CREATE INDEX tenant_reservations_by_session ON soma.tenant_reservations (tenant, session_id);

ALTER TABLE soma.tenant_reservations ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.tenant_reservations FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_alone ON soma.tenant_reservations USING (tenant = current_setting('soma.tenant', true));
