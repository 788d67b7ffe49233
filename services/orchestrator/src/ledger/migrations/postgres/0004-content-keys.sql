-- Texts are encrypted for their data subject, a user of a tenant, with keys that a master key outside the database wraps.

CREATE TABLE soma.content_keys (
  key_id text PRIMARY KEY,
  tenant text NOT NULL,
  user_id text NOT NULL,
  -- Counts the subject's keys from 1; the newest encrypts, all decrypt.
  generation integer NOT NULL,
  -- Names the master key that wrapped it, and gives nothing away of it.
  master_key_id text,
  -- Nonce, AES-256-GCM ciphertext, tag. A destroyed key is a row without it.
  wrapped bytea,
  created_at text COLLATE "C" NOT NULL,
  destroyed_at text COLLATE "C",
  UNIQUE (tenant, user_id, generation),
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL) AND (wrapped IS NULL) = (master_key_id IS NULL))
);

-- Written in clear by versions before this one. Encrypted and emptied when this version opens the ledger; renamed, so
-- that an older process that still runs cannot add to it.
ALTER TABLE soma.contents RENAME TO plain_contents;
ALTER INDEX soma.contents_pkey RENAME TO plain_contents_pkey;

CREATE TABLE soma.contents (
  tenant text NOT NULL,
  user_id text NOT NULL,
  -- Of the text, not of its ciphertext: what events name.
  digest text NOT NULL,
  media_type text NOT NULL,
  key_id text NOT NULL REFERENCES soma.content_keys,
  sealed bytea NOT NULL,
  PRIMARY KEY (tenant, user_id, digest)
);

CREATE TABLE soma.content_encryption (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  -- The master key of the first process that opened the ledger, or of the last rotation: one that lacks it is refused.
  master_key_id text,
  -- Since when plain_contents is empty.
  plain_gone_at text
);

INSERT INTO soma.content_encryption DEFAULT VALUES;

ALTER TABLE soma.content_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.content_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE soma.contents ENABLE ROW LEVEL SECURITY;
ALTER TABLE soma.contents FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_alone ON soma.content_keys USING (tenant = current_setting('soma.tenant', true));
CREATE POLICY tenant_alone ON soma.contents USING (tenant = current_setting('soma.tenant', true));

-- The readers of all tenants: which tenants and master keys there are, no key and no text.

CREATE POLICY holders_are_counted ON soma.content_keys FOR SELECT
USING (current_setting('soma.reader', true) = 'key_holders');
CREATE POLICY holders_are_counted ON soma.plain_contents FOR SELECT
USING (current_setting('soma.reader', true) = 'plain_holders');

CREATE FUNCTION soma.content_key_holders() RETURNS TABLE (tenant text, master_key_id text, keys integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'key_holders', true);
  RETURN QUERY
    SELECT k.tenant, k.master_key_id, count(*)::integer FROM soma.content_keys k GROUP BY 1, 2 ORDER BY 1, 2;
  PERFORM set_config('soma.reader', '', true);
END $$;

CREATE FUNCTION soma.plain_content_holders() RETURNS TABLE (tenant text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM set_config('soma.reader', 'plain_holders', true);
  RETURN QUERY SELECT DISTINCT p.tenant FROM soma.plain_contents p ORDER BY 1;
  PERFORM set_config('soma.reader', '', true);
END $$;
