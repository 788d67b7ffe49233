"""The outcomes of effects, by key, for 24 hours: what makes asking again safe.

A row is committed to disk before its answer is said to be complete, so that an answer which a caller has seen whole
is never generated a second time, whatever is killed afterwards. Beside it stands one row in `generations` for each
generation that ended, also for one that should not have been: that table has no unique key on purpose.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soma_slm.effect_key import EffectKey, key_reused
from soma_slm.journal_seal import JournalError, JournalSeal, read_or_make_key
from soma_slm.log_lines import log_line

Record = dict[str, Any]

KEEP_SECONDS = 24 * 3600
PRUNE_EVERY = 64
VERSION = 1
FILE_NAME = "effects.db"
KEY_FILE_NAME = "journal.key"
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  tenant BLOB NOT NULL, key TEXT NOT NULL, bound BLOB NOT NULL, sealed BLOB NOT NULL, bytes INTEGER NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (tenant, key)
);
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (at, bytes);
CREATE TABLE IF NOT EXISTS generations (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, key TEXT NOT NULL, route TEXT NOT NULL,
  prompt_tokens INTEGER, completion_tokens INTEGER
);
CREATE INDEX IF NOT EXISTS generations_by_age ON generations (at);
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


def wall_clock() -> int:
    """Return the time in milliseconds."""
    return time.time_ns() // 1_000_000


class EffectJournal:
    """The file. Its calls block; one thread at a time, any number of processes."""

    def __init__(self, folder: Path, max_rows: int, max_bytes: int, now_ms: Callable[[], int] = wall_clock) -> None:
        """Open the journal in the folder, made when missing; raise JournalError when it cannot be used."""
        self._now_ms = now_ms
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._added = 0
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._seal = JournalSeal(read_or_make_key(folder / KEY_FILE_NAME))
            self._database = open_database(folder / FILE_NAME)
            self._check_key()
            self.prune()
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"the journal in {folder} cannot be used ({type(error).__name__}: {error})") from error

    def find(self, key: EffectKey) -> Record | None:
        """Return the outcome recorded for the key, None when there is none; raise the 422 when it is of another."""
        tenant, bound = self._marks(key)
        row = self._database.execute(
            "SELECT bound, sealed FROM answers WHERE tenant = ? AND key = ? AND at > ?",
            (tenant, key.name, self._now_ms() - KEEP_SECONDS * 1000),
        ).fetchone()
        if row is None:
            return None
        if row[0] != bound:
            raise key_reused()
        return dict(json.loads(self._seal.open(row[1], tenant + bound)))

    def add(self, key: EffectKey, record: Record) -> bool:
        """Write a finished generation and its outcome to disk; say whether it is the key's first outcome."""
        tenant, bound = self._marks(key)
        sealed = self._seal.seal(json.dumps(record, separators=(",", ":")).encode(), tenant + bound)
        usage = record["usage"]
        now = self._now_ms()
        with self._database:  # one transaction
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT INTO generations (at, key, route, prompt_tokens, completion_tokens) VALUES (?, ?, ?, ?, ?)",
                (now, key.name, key.route, usage["prompt_tokens"], usage.get("completion_tokens")),
            )
            self._database.execute(
                "DELETE FROM answers WHERE tenant = ? AND key = ? AND at <= ?",
                (tenant, key.name, now - KEEP_SECONDS * 1000),
            )
            added = self._database.execute(
                "INSERT INTO answers (tenant, key, bound, sealed, bytes, at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (tenant, key.name, bound, sealed, len(sealed), now),
            )
        self._added += 1
        if self._added % PRUNE_EVERY == 0:
            self.prune()
        return added.rowcount == 1

    def prune(self) -> None:
        """Delete what is older than 24 hours, and when the rest is over the bounds the oldest of it, with a word."""
        oldest = self._now_ms() - KEEP_SECONDS * 1000
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("DELETE FROM answers WHERE at <= ?", (oldest,))
            self._database.execute("DELETE FROM generations WHERE at <= ?", (oldest,))
            self._database.execute(
                "DELETE FROM generations WHERE number <= (SELECT max(number) FROM generations) - ?", (self._max_rows,)
            )
            rows, size = self._database.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM answers").fetchone()
            if rows <= self._max_rows and size <= self._max_bytes:
                return
            self._database.execute(
                "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM (SELECT rowid,"
                " row_number() OVER newest AS place, sum(bytes) OVER newest AS total FROM answers"
                " WINDOW newest AS (ORDER BY at DESC, rowid DESC ROWS UNBOUNDED PRECEDING))"
                " WHERE place > ? OR total > ?)",
                (self._max_rows, self._max_bytes),
            )
        log_line("journal-full", level="warn", detail="the oldest outcomes were dropped before their 24 hours")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _marks(self, key: EffectKey) -> tuple[bytes, bytes]:
        return self._seal.mac("tenant", key.tenant), self._seal.mac("bound", key.name, key.bound)

    def _check_key(self) -> None:
        """Notice another key at the start, not at the first answer that cannot be opened."""
        mark = self._seal.mac("key")
        with self._database:
            self._database.execute("INSERT INTO marks VALUES ('key', ?) ON CONFLICT DO NOTHING", (mark,))
        (found,) = self._database.execute("SELECT value FROM marks WHERE name = 'key'").fetchone()
        if found != mark:
            raise JournalError(f"{KEY_FILE_NAME} is not the key that this journal was made with")


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file, for its owner alone, with its tables."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    # The journal runs in a thread of its own, which is not the one that opens it.
    database = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA busy_timeout = 5000")
    _use_wal(database)
    database.execute("PRAGMA synchronous = FULL")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        raise JournalError(f"{path} is of version {version}, this program knows {VERSION}")
    database.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    return database


def _use_wal(database: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; when two processes do so at once, SQLite refuses one without waiting."""
    deadline = time.monotonic() + 5
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
