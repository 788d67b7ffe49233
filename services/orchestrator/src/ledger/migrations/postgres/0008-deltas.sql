-- Pieces of texts that are being made, for API processes other than the worker's; encrypted like contents, gone when their
-- step has its outcome. UNLOGGED: no write of it waits for a disk, and after a crash of the server it is empty. Nothing is
-- lost by that: the text itself is a content of the ledger when the step is done.

-- A sequence of its own, and a logged one: that of an unlogged table begins at 1 again after a crash, and a reader that
-- stands at a later position would see nothing any more.
CREATE SEQUENCE soma.delta_positions;

CREATE UNLOGGED TABLE soma.deltas (
  position bigint PRIMARY KEY DEFAULT nextval('soma.delta_positions'),
  tenant text NOT NULL CHECK (tenant <> ''),
  user_id text NOT NULL,
  session_id text NOT NULL,
  step text NOT NULL,
  -- Which telling of the step's text; a higher one began it anew.
  attempt bigint NOT NULL,
  -- Where in the text the piece begins, in UTF-16 units.
  start_unit bigint NOT NULL,
  -- The process that made it.
  writer text NOT NULL,
  key_id text NOT NULL,
  sealed bytea NOT NULL,
  added_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX deltas_by_session ON soma.deltas (session_id, position);
CREATE INDEX deltas_by_age ON soma.deltas (added_at);

-- One writer at a time, from before the first position is taken until the commit: positions are in the order of commits,
-- so that a reader who goes by them passes none that is still to come. The ledger's lock is another.
CREATE FUNCTION soma.queue_deltas() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7307180202613);
  RETURN NULL;
END $$;

CREATE TRIGGER deltas_queue BEFORE INSERT ON soma.deltas FOR EACH STATEMENT EXECUTE FUNCTION soma.queue_deltas();

ALTER TABLE soma.deltas ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.deltas FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_alone ON soma.deltas USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tail_reads_all ON soma.deltas FOR SELECT USING (current_setting('soma.reader', true) IN ('delta_tail', 'delta_prune'));
CREATE POLICY prune_removes_all ON soma.deltas FOR DELETE USING (current_setting('soma.reader', true) = 'delta_prune');

CREATE FUNCTION soma.tail_deltas(after_position bigint, not_of text, row_limit integer)
RETURNS SETOF soma.deltas LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'delta_tail', true);
  RETURN QUERY
    SELECT d.* FROM soma.deltas d
    WHERE d.position > after_position AND d.writer <> not_of ORDER BY d.position LIMIT row_limit;
  PERFORM set_config('soma.reader', '', true);
END $$;

CREATE FUNCTION soma.last_delta_position() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  newest bigint;
BEGIN
  PERFORM set_config('soma.reader', 'delta_tail', true);
  SELECT d.position INTO newest FROM soma.deltas d ORDER BY d.position DESC LIMIT 1;
  PERFORM set_config('soma.reader', '', true);
  RETURN coalesce(newest, 0);
END $$;

CREATE FUNCTION soma.prune_deltas(before timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'delta_prune', true);
  DELETE FROM soma.deltas d WHERE d.added_at < before;
  PERFORM set_config('soma.reader', '', true);
END $$;
