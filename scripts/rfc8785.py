# ruff: noqa: INP001 - scripts are run, and make no package
"""Canonical JSON (RFC 8785), as docs/reference/ledger-format.md says it; for soma_verify.py beside it."""

from __future__ import annotations

import json
from decimal import Decimal

# Where ECMAScript leaves plain notation: digits 0.ddd times ten to this power (Number::toString).
PLAIN_ABOVE = -6
PLAIN_UP_TO = 21


def canonical_number(number: float) -> str:
    """Write a double as ECMAScript does. Raises ValueError for one out of range."""
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number is not itself
        raise ValueError("a number out of range")
    if number == 0:
        return "0"
    # Python's repr gives the same shortest digits; only the notation differs.
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    minus = "-" if sign else ""
    if not PLAIN_ABOVE < point <= PLAIN_UP_TO:
        fraction = "." + text[1:] if len(text) > 1 else ""
        return f"{minus}{text[0]}{fraction}e{point - 1:+d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    if point >= len(text):
        return minus + text + "0" * (point - len(text))
    return f"{minus}{text[:point]}.{text[point:]}"


def canonical_text(text: str) -> str:
    """Write a string. Raises UnicodeEncodeError for half a surrogate pair."""
    text.encode()
    # Escapes just what RFC 8785 says: quotes, backslash, and what is below U+0020.
    return json.dumps(text, ensure_ascii=False)


def utf16(name: str) -> bytes:
    """Give what members are sorted by."""
    return name.encode("utf-16-be")


def canonical(value: object) -> str:
    """Write a value in its canonical form. Raises ValueError when it has none."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return canonical_text(value)
    if isinstance(value, float):
        return canonical_number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{canonical_text(name)}:{canonical(value[name])}" for name in sorted(value, key=utf16))
            + "}"
        )
    raise TypeError(type(value).__name__)
