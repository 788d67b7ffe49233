"""`python -m soma_slm.journal list [FOLDER]`: the generations that ended, one JSON line each, without their texts.

FOLDER is SLM_DATA_DIR when left out. The service may run meanwhile; no key is needed. A key that stands there twice
was generated twice.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soma_slm.effect_journal import FILE_NAME
from soma_slm.environment import read_text

EXIT_USAGE = 2


def list_generations(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the finished generations of the last 24 hours, oldest first."""
    path = (folder / FILE_NAME).absolute()
    database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        query = "SELECT key, at, route, prompt_tokens, completion_tokens FROM generations ORDER BY number"
        for key, at, route, prompt_tokens, completion_tokens in database.execute(query):
            yield {
                "effect_key": key,
                "at": datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds"),
                "outcome": "generated",
                "route": route,
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
            }
    finally:
        database.close()


def main(arguments: list[str]) -> int:
    """Print the list; return the exit status."""
    match arguments:
        case ["list"]:
            folder = read_text(os.environ, "SLM_DATA_DIR", "./data")
        case ["list", folder]:
            pass
        case _:
            sys.stderr.write("usage: python -m soma_slm.journal list [FOLDER]\n")
            return EXIT_USAGE
    try:
        for line in list_generations(Path(folder)):
            sys.stdout.write(json.dumps(line) + "\n")
    except sqlite3.Error as error:
        sys.stderr.write(f"the journal in {folder} cannot be read: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
