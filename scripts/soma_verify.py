#!/usr/bin/env python3
"""Check the exported ledger of one session or tenant; written from docs/reference/ledger-format.md alone.

    python3 scripts/soma_verify.py [--json] [--head sha256:<hex>] FILE      (- reads standard input)

It needs Python 3.11 or newer and nothing else, and shares no code with the system that wrote the ledger nor with the
project's own verifier, scripts/soma-verify.ts. Exit code: 0 everything holds, 1 a violation was found, 2 the file
cannot be read. The rules are in soma_verifier beside it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from itertools import chain
from typing import TYPE_CHECKING

from soma_verifier.ledger import Gap, Verifier
from soma_verifier.words import DIGEST, Json, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHECKS = (
    "shape",
    "session",
    "sequence",
    "hash",
    "chain",
    "id",
    "permit",
    "approval",
    "intent",
    "once",
    "action",
    "budget",
    "state",
    "end",
    "content",
)


class UnreadableError(Exception):
    """The file is no export."""


def refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"{name} is no JSON")


def parse(text: str) -> object:
    """Read JSON, with every number as a double. Raises ValueError."""
    return json.loads(text, parse_int=float, parse_constant=refuse_constant)


def parse_event(value: object) -> Json:
    """Take an object for an event. Raises UnreadableError for anything else."""
    if not isinstance(value, dict):
        raise UnreadableError("an event is not a JSON object")
    return value


def parse_line(line: str) -> Json | None:
    """Read a line that is an object by itself, an event or a gap; None for any other."""
    try:
        value = parse(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "events" not in value else None


def read_gap(value: object) -> Gap:
    """Read what was cut. Raises UnreadableError when it does not say so."""
    if not isinstance(value, dict):
        raise UnreadableError("gap is not an object")
    first, last, hash_before = number_of(value, "from") or 0, number_of(value, "to") or 0, text_of(value, "hash")
    if first < 1 or last < first or not DIGEST.fullmatch(hash_before):
        raise UnreadableError("gap does not say from, to and hash")
    return Gap(first, last, hash_before)


def verify_lines(lines: Iterable[str], head: str | None = None) -> Json:
    """Verify an export, line by line when it is NDJSON. Raises UnreadableError, ValueError or RecursionError."""
    filled = (line for line in lines if line.strip(" \t\r\n"))
    first = next(filled, None)
    if first is None:
        raise UnreadableError("the file holds no events")
    contents: object = {}
    more = False
    gap = None
    line = parse_line(first)
    if line is not None and "gap" in line and "specversion" not in line:
        gap = read_gap(line["gap"])
        events: Iterable[object] = map(parse, filled)
    elif line is not None:
        events = chain([line], map(parse, filled))
    else:
        document = parse("\n".join(chain([first], filled)))
        events = [document]
        if isinstance(document, list):
            events = document
        elif isinstance(document, dict):
            events = document.get("events", [document])
            contents, more = document.get("contents", {}), "next_after" in document
            gap = read_gap(document["gap"]) if "gap" in document else None
        if not isinstance(events, list) or not isinstance(contents, dict):
            raise UnreadableError("events is not a list, or contents is not an object")
    verifier = Verifier(gap)
    for one in events:
        verifier.add(parse_event(one))
    if verifier.last is None:
        raise UnreadableError("the file holds no events")
    return verifier.conclude(contents if isinstance(contents, dict) else {}, head, more=more)


def verify(text: str, head: str | None = None) -> Json:
    """Verify the text of an export."""
    return verify_lines(text.split("\n"), head)


def read_lines(path: str) -> Iterator[str]:
    """Read the lines of a file. Raises UnicodeDecodeError, a ValueError, for bytes that are no UTF-8."""
    if path == "-":
        yield from (line.decode() for line in sys.stdin.buffer)
        return
    with open(path, "rb") as file:  # noqa: PTH123 - the name may be one that Path would change
        yield from (line.decode() for line in file)


def describe(report: Json) -> str:
    """Put a report into words for a terminal, with nothing in it that speaks to the terminal."""
    lines = [f"session {report['session']} of tenant {report['tenant']}"]
    lines.append(", ".join(f"{count} {name}" for name, count in report["counts"].items()))
    lines.append(f"last: {report['last']['sequence']} {report['last']['hash']}")
    for check in CHECKS:
        found = [one for one in report["violations"] if one["check"] == check]
        lines.append(f"{'VIOLATED' if found else 'ok      '}  {check}")
        lines.extend(f"            at {one['seq']}: {one['what']}" for one in found)
    lines.extend(f"note: {note}" for note in report["notes"])
    count = len(report["violations"])
    lines.append(f"{count} violations." if count else "Everything holds.")
    return re.sub(r"[^ -~\n]", "?", "\n".join(lines))


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="soma_verify", description="Check the exported ledger of one session.")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    parser.add_argument("--head", help="the last hash, if you know it from elsewhere")
    parser.add_argument("file", help="the export; - for standard input")
    options = parser.parse_args()
    try:
        report = verify_lines(read_lines(options.file), options.head)
    except (OSError, ValueError, RecursionError, UnreadableError) as error:
        sys.stderr.write(f"soma_verify: {error}\n")
        return 2
    sys.stdout.write((json.dumps(report, indent=2) if options.json else describe(report)) + "\n")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
