-- What the reconciler goes through: a session leaves this index when it ends, so that its size is what is under way.
CREATE INDEX sessions_unended ON soma.sessions (ordinal)
WHERE status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out');

-- It sees of all tenants which sessions are under way, and reads each of them as its tenant.
CREATE POLICY unended_are_found ON soma.sessions FOR SELECT USING (
  current_setting('soma.reader', true) = 'unended'
  AND status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
);

CREATE FUNCTION soma.unended_sessions(after_ordinal bigint, row_limit integer)
RETURNS TABLE (ordinal bigint, tenant text, session_id text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'unended', true);
  RETURN QUERY
    SELECT s.ordinal, s.tenant, s.session_id FROM soma.sessions s
    WHERE s.ordinal > after_ordinal
      AND s.status NOT IN ('completed', 'denied', 'failed', 'canceled', 'timed_out')
    ORDER BY s.ordinal LIMIT row_limit;
  PERFORM set_config('soma.reader', '', true);
END $$;
