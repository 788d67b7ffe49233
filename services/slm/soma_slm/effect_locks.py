"""One generation for a key at a time, also while two replicas run for a moment."""

import fcntl
import hashlib
import os
from pathlib import Path

from soma_slm.effect_key import EffectKey


class EffectLocks:
    """Locks on single bytes of one file, at a place that the key gives.

    The kernel gives them back when their process ends, however it ends: nothing is left to clean up after kill -9.
    They exclude other processes only; within this one, effects.py joins callers. POSIX record locks: the file must be
    opened once per process, because closing any of its descriptors drops them all.
    """

    def __init__(self, folder: Path) -> None:
        """Open the file."""
        self._file = os.open(folder / "effects.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, key: EffectKey) -> bool:
        """Take the key's lock, or say at once that another process has it."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(key))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def release(self, key: EffectKey) -> None:
        """Give the key's lock back."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _place(key))

    def close(self) -> None:
        """Close the file, which gives all locks back."""
        os.close(self._file)


def _place(key: EffectKey) -> int:
    digest = hashlib.sha256("\0".join(key.place).encode()).digest()
    return int.from_bytes(digest[:8]) >> 2
