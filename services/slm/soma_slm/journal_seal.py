"""The journal's key file, and what it is used for: sealing answers, and marking requests without keeping them."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


class JournalError(RuntimeError):
    """The journal cannot be used. The text is one line for the operator, without a secret."""


class JournalSeal:
    """Two keys derived from one file: AES-256-GCM for answers, HMAC-SHA-256 for what they are bound to."""

    def __init__(self, secret: bytes) -> None:
        """Take the 32 bytes of the key file."""
        self._aead = AESGCM(_derive(secret, b"soma/journal-seal/v1"))
        self._mac_key = _derive(secret, b"soma/journal-mac/v1")

    def mac(self, *parts: str | bytes) -> bytes:
        """Return a mark of the parts. Keyed, because a plain digest of a short prompt can be guessed."""
        mark = hmac.new(self._mac_key, digestmod=hashlib.sha256)
        for part in parts:
            raw = part.encode() if isinstance(part, str) else part
            mark.update(b"%d:" % len(raw) + raw)
        return mark.digest()

    def seal(self, text: bytes, bound_to: bytes) -> bytes:
        """Return the text encrypted, of use only in the row that it is bound to."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, text, bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Return the text; raise JournalError when it was changed, or belongs to another row or key."""
        try:
            return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise JournalError("a recorded answer cannot be opened") from error


def read_or_make_key(path: Path) -> bytes:
    """Return the key file's bytes, made at the first start for its owner alone.

    Several processes may do so at once: the file is written aside and linked, so that it appears whole, and all of
    them read the same bytes.
    """
    if not path.exists():
        aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, secrets.token_bytes(KEY_BYTES))
            os.fsync(file)
            path.hardlink_to(aside)
        except FileExistsError:
            pass  # another process was first
        finally:
            os.close(file)
            aside.unlink()
    if path.stat().st_mode & 0o077:
        raise JournalError(f"{path} can be read by others; run: chmod 600 {path}")
    secret = path.read_bytes()
    if len(secret) != KEY_BYTES:
        raise JournalError(f"{path} is not a key of {KEY_BYTES} bytes")
    return secret


def _derive(secret: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=use).derive(secret)
