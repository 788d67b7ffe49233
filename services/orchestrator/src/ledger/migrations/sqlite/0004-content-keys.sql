-- Texts are encrypted for their data subject, a user of a tenant, with keys that a master key outside the database wraps.

CREATE TABLE content_keys (
  key_id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  -- Counts the subject's keys from 1; the newest encrypts, all decrypt.
  generation INTEGER NOT NULL,
  -- Names the master key that wrapped it, and gives nothing away of it.
  master_key_id TEXT,
  -- Nonce, AES-256-GCM ciphertext, tag. A destroyed key is a row without it.
  wrapped BLOB,
  created_at TEXT NOT NULL,
  destroyed_at TEXT,
  UNIQUE (tenant, user_id, generation),
  CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL) AND (wrapped IS NULL) = (master_key_id IS NULL))
) STRICT;

-- Written in clear by versions before this one. Encrypted and emptied when this version opens the ledger; renamed, so
-- that an older process that still runs cannot add to it.
ALTER TABLE contents RENAME TO plain_contents;

CREATE TABLE contents (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  -- Of the text, not of its ciphertext: what events name.
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  key_id TEXT NOT NULL REFERENCES content_keys (key_id),
  sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, user_id, digest)
) STRICT;

CREATE TABLE content_encryption (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- The master key of the first process that opened the ledger, or of the last rotation: one that lacks it is refused.
  master_key_id TEXT,
  -- Since when plain_contents is empty and its pages are overwritten.
  plain_gone_at TEXT
) STRICT;

INSERT INTO content_encryption VALUES (1, NULL, NULL);
