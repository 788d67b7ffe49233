"""Explicit reading of single environment variables: no value is guessed, a bad one is named."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")


class SettingError(ValueError):
    """A setting that stops the start. Its text is one line: variable, what was found, what is accepted."""

    def __init__(self, variable: str, found: str, accepted: str) -> None:
        """Build the line. Values here are never secrets: this service has none in its environment."""
        super().__init__(f"{variable}: found {found!r}, accepted is {accepted}")
        self.variable = variable


def read_text(env: Mapping[str, str], variable: str, default: str) -> str:
    """Return the variable, or the default when it is unset; set but empty or padded is an error."""
    value = env.get(variable)
    if value is None:
        return default
    if not value or value != value.strip():
        raise SettingError(variable, value, "a non-empty text without blanks around it (or leave it unset)")
    return value


def read_optional(env: Mapping[str, str], variable: str) -> str | None:
    """Return the variable, or None when it is unset."""
    return read_text(env, variable, "") or None


def read_integer(env: Mapping[str, str], variable: str, default: int, lowest: int, highest: int) -> int:
    """Return a whole number within the two bounds, both included."""
    accepted = f"a whole number from {lowest} to {highest}"
    value = read_text(env, variable, str(default))
    if not (value.isascii() and value.isdigit()):
        raise SettingError(variable, value, accepted)
    number = int(value)
    if not lowest <= number <= highest:
        raise SettingError(variable, value, accepted)
    return number


def read_decimal(env: Mapping[str, str], variable: str, default: str, lowest: int, highest: int) -> float:
    """Return a number like 1.1 within the two bounds, both included."""
    value = read_text(env, variable, default)
    if not DECIMAL.fullmatch(value) or not lowest <= float(value) <= highest:
        raise SettingError(variable, value, f"a number like 1.1, from {lowest} to {highest}")
    return float(value)


def read_http_url(env: Mapping[str, str], variable: str) -> str | None:
    """Return an http(s) URL without a trailing slash, or None when unset; credentials in it are refused."""
    value = read_optional(env, variable)
    if value is None:
        return None
    accepted = "an http(s) URL without user, password, query or fragment"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        # The found text may hold a password, so it is not shown.
        raise SettingError(variable, "another text", accepted)
    return value.rstrip("/")
