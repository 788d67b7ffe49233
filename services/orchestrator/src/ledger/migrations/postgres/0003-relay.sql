-- What the audit topic has got of the ledger, and who may deliver to it. No tenant's data, so no policy by tenant.

CREATE TABLE soma.relay (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  holder text,
  -- Fencing token: whoever takes the lease from another gets the next one.
  token bigint NOT NULL,
  expires_at timestamptz NOT NULL,
  -- Every event up to this position is in the topic or in dead_letters.
  cursor bigint NOT NULL
);

INSERT INTO soma.relay VALUES (true, NULL, 0, 'epoch', 0);

CREATE FUNCTION soma.refuse_relay_going_back() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the relay never goes back' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER relay_never_goes_back BEFORE UPDATE ON soma.relay FOR EACH ROW
WHEN (NEW.cursor < OLD.cursor OR NEW.token < OLD.token)
EXECUTE FUNCTION soma.refuse_relay_going_back();

-- Events that the topic cannot take. Their content stays where it is: in events, at this position.
CREATE TABLE soma.dead_letters (
  position bigint PRIMARY KEY,
  event_id text NOT NULL,
  bytes bigint NOT NULL
);
