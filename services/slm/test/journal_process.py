"""A process that works on a journal and can be killed.

`python -m test.journal_process FOLDER write|hold NAME [COUNT]`
"""

import itertools
import sys
from pathlib import Path

from soma_slm.effect_journal import EffectJournal
from soma_slm.effect_locks import EffectLocks
from test.effect_samples import MIB, key_of, record_of


def main(folder: Path, action: str, name: str, count: int | None) -> None:
    if action == "hold":
        say(str(EffectLocks(folder).take(key_of(name))))
        sys.stdin.read()
        return
    journal = EffectJournal(folder, 1_000_000, 100 * MIB)
    for number in itertools.count() if count is None else range(count):
        text = f"{name}{number}"
        journal.add(key_of(text), record_of(text))
        say(text)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]), given[1], given[2], int(given[3]) if len(given) > 3 else None)
