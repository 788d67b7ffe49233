"""What the format calls texts, numbers, instants, digests, types and members."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rfc8785 import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
SOME = re.compile(r".+", re.DOTALL)
MEMBERS = {
    "specversion": re.compile(r"1\.0"),
    "id": re.compile(r"evt_[0-9a-f]{64}"),
    "eventkey": re.compile(r"[!-~]{1,256}"),
    **dict.fromkeys(("source", "type", "subject", "tenant", "user", "agent", "authn"), SOME),
    "time": INSTANT,
    "datacontenttype": re.compile(r"application/json"),
    "prevhash": DIGEST,
    "hash": DIGEST,
}
KNOWN_MEMBERS = frozenset({*MEMBERS, "sequence", "data", "traceparent"})
ENDS = frozenset(
    {"session.completed", "session.denied", "session.failed", "session.canceled", "session.timed_out"},
)
OUTCOMES = frozenset({"effect.completed", "effect.failed", "memory.recalled", "memory.remembered"})
FIRST = {"session": "session.created", "tenant": "tenant.created"}


def names(stem: str, *ends: str) -> set[str]:
    """Put the type names of one stem together."""
    return {f"{stem}.{end}" for end in ends}


SESSION_TYPES = frozenset(
    ENDS
    | OUTCOMES
    | names("session", "created", "paused", "resumed", "cancel_requested")
    | names("dependency", "unavailable", "recovered")
    | names("action", "decided", "refused")
    | names("turn", "started", "ended")
    | names("approval", "requested", "granted", "denied", "expired", "voided")
    | names("budget", "exhausted", "extended")
    | {"policy.decided", "token.issued", "effect.intended", "memory.skipped", "message.received"},
)
TENANT_TYPES = frozenset(
    names("tenant", "created", "updated", "suspended", "resumed")
    | names("api_key", "created", "revoked")
    | names("sessions", "stop_requested", "stopped")
    | names("subject", "erasure_requested", "erased")
    | {"change.denied", "access.refused", "retention.applied"},
)
TYPES = {"session": SESSION_TYPES, "tenant": TENANT_TYPES}
NAMED_CONTENTS = (
    "prompt_digest",
    "metadata_digest",
    "result_digest",
    "message_digest",
    "value_digest",
    "base_hash",
)
GENESIS = "sha256:" + "0" * 64
MAX_WHOLE = 2**53 - 1


@dataclass(frozen=True)
class Happening:
    """An event as the rules see it, and where to report about it."""

    kind: str
    data: Json
    time: str
    user: str
    report: Callable[[str, str], None]
    # For what needs an event before it that is not there: a violation, or a note where events were cut.
    lacks: Callable[[str, str], None]


def sha256(text: str) -> str:
    """Give the digest of a text; empty when the text has no UTF-8 form."""
    try:
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        return ""


def parts_digest(*parts: str) -> str:
    """Give the digest of texts whose borders cannot be moved; empty when one has no UTF-8 form."""
    try:
        return sha256("".join(f"{len(part.encode())}:{part}" for part in parts))
    except UnicodeEncodeError:
        return ""


def hash_of(event: Json) -> str:
    """Give the digest of an event without its hash; empty when it has no canonical form."""
    try:
        return sha256(canonical({name: value for name, value in event.items() if name != "hash"}))
    except ValueError:
        return ""


def text_of(record: Json, name: str) -> str:
    """Give a member that is a text; all else counts as the empty text."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def object_of(record: Json, name: str) -> Json:
    """Give a member that is an object; all else counts as an empty one."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def number_of(record: Json, name: str) -> int | None:
    """Give a member that is a whole number from 0 to 2**53 - 1; None for all else."""
    value = record.get(name)
    whole = isinstance(value, float) and value.is_integer() and 0 <= value <= MAX_WHOLE
    return int(value) if whole else None


def is_instant(time: str) -> bool:
    """Say whether a text is an instant."""
    return INSTANT.fullmatch(time) is not None


def is_before(time: str, limit: str) -> bool:
    """Say whether a time is before another; what is no instant is not."""
    return is_instant(time) and is_instant(limit) and time < limit


def moment_of(time: str) -> datetime | None:
    """Read an instant of the calendar; None for any other text."""
    if not is_instant(time):
        return None
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    # Newer Pythons read 24:00 as the next day, which is another text.
    return moment if moment.strftime("%H") == time[11:13] else None


def kind_of(event: Json) -> str:
    """Say whose ledger an event stands in: a tenant's own or a session's."""
    return "tenant" if text_of(event, "subject") == f"tenant:{text_of(event, 'tenant')}" else "session"
