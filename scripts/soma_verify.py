#!/usr/bin/env python3
"""Check the exported ledger of one session or tenant; written from docs/reference/ledger-format.md alone.

    python3 scripts/soma_verify.py [--json] [--head sha256:<hex>] FILE      (- reads standard input)

It needs Python 3.11 or newer and nothing else, and shares no code with the system that wrote the ledger nor with the
project's own verifier, scripts/soma-verify.ts. Exit code: 0 everything holds, 1 a violation was found, 2 the file
cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from rfc8785 import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
SESSION_TYPES = ENDS | {
    "session.created",
    "policy.decided",
    "token.issued",
    "effect.intended",
    "effect.completed",
    "effect.failed",
    "dependency.unavailable",
    "dependency.recovered",
    "session.paused",
    "session.resumed",
    "session.cancel_requested",
    *(f"memory.{done}" for done in ("recalled", "remembered", "skipped")),
    *("action.decided", "action.refused"),
    *("message.received", "turn.started", "turn.ended", "budget.exhausted", "budget.extended"),
    *(f"approval.{done}" for done in ("requested", "granted", "denied", "expired", "voided")),
}
TENANT_TYPES = {f"tenant.{change}" for change in ("created", "updated", "suspended", "resumed")} | {
    "api_key.created",
    "api_key.revoked",
    "change.denied",
    "access.refused",
    "sessions.stop_requested",
    "sessions.stopped",
    "subject.erasure_requested",
    "subject.erased",
    "retention.applied",
}
TYPES = {"session": SESSION_TYPES, "tenant": TENANT_TYPES}
CHECKS = ("shape", "session", "sequence", "hash", "chain", "id", "permit", "intent", "once", "end", "content")
NAMED_CONTENTS = ("prompt_digest", "metadata_digest", "result_digest")
GENESIS = "sha256:" + "0" * 64
MAX_WHOLE = 2**53 - 1


class UnreadableError(Exception):
    """The file is no export."""


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


def kind_of(event: Json) -> str:
    """Say whose ledger an event stands in: a tenant's own or a session's."""
    return "tenant" if text_of(event, "subject") == f"tenant:{text_of(event, 'tenant')}" else "session"


@dataclass(frozen=True)
class Decision:
    """What the permit rule needs of a policy.decided."""

    decision_id: str
    action_digest: str
    allowed: bool
    needs_approval: bool
    expires_at: str


def read_decision(data: Json) -> Decision:
    """Read the data of a policy.decided."""
    obligations = data.get("obligations")
    kinds = [one.get("kind") for one in obligations if isinstance(one, dict)] if isinstance(obligations, list) else []
    return Decision(
        decision_id=text_of(data, "decision_id"),
        action_digest=text_of(data, "action_digest"),
        allowed=data.get("allowed") is True,
        needs_approval="require_approval" in kinds,
        expires_at=text_of(data, "expires_at"),
    )


def why_not_allowed(intent: Json, time: str, decisions: list[Decision]) -> str | None:
    """Say why the decisions about its effect so far do not allow an intent; None when one does."""
    decision_id, action = text_of(intent, "decision_id"), text_of(intent, "action_digest")
    places = [place for place, one in enumerate(decisions) if one.decision_id == decision_id]
    meant = decisions[places[-1]] if places else None
    reason = None
    if "" in (decision_id, action, text_of(intent, "effect_key")):
        reason = "the intent does not name its decision, effect and action"
    elif meant is None:
        reason = "no decision with this id about this effect comes before the intent"
    elif meant.action_digest != action:
        reason = "the decision was about another action"
    elif not all(one.allowed for one in decisions[places[-1] :]):
        reason = "the effect was denied"
    elif meant.needs_approval:
        reason = "the decision asks for an approval, and the format has no event of one"
    elif not (INSTANT.fullmatch(meant.expires_at) and INSTANT.fullmatch(time) and meant.expires_at >= time):
        reason = "the decision had expired"
    return reason


@dataclass
class Verifier:
    """What is known of a session after the events so far."""

    violations: list[Json] = field(default_factory=list)
    last: Json | None = None
    place: int = 0
    events: int = 0
    decided: int = 0
    ended: str | None = None
    ids: set = field(default_factory=set)
    decisions: dict[str, list[Decision]] = field(default_factory=dict)
    intended: dict[str, int] = field(default_factory=dict)
    used: set = field(default_factory=set)
    settled: set = field(default_factory=set)
    named: set = field(default_factory=set)

    def report(self, check: str, what: str) -> None:
        """Note a violation at the event that is being read."""
        self.violations.append({"seq": self.place, "check": check, "what": what})

    def add(self, event: Json) -> None:
        """Take the next event."""
        due = self.place + 1
        sequence = event.get("sequence")
        whole = isinstance(sequence, float) and sequence.is_integer() and abs(sequence) <= MAX_WHOLE
        self.place = int(sequence) if whole else due
        self.events += 1
        if sequence != due or isinstance(sequence, bool):
            self.report("sequence", f"another number than {due}, which is due")
        self.check_shape(event)
        self.check_session(event)
        self.check_chain(event)
        kind = text_of(event, "type")
        data = event.get("data")
        data = data if isinstance(data, dict) else {}
        if kind == "policy.decided":
            self.decided += 1
            self.decisions.setdefault(text_of(data, "effect_key"), []).append(read_decision(data))
        elif kind == "effect.intended":
            self.check_intent(data, text_of(event, "time"))
        elif kind in OUTCOMES:
            self.check_outcome(text_of(data, "effect_key"))
        if self.ended is not None:
            self.report("end", f"{kind} follows {self.ended}")
        if kind in ENDS:
            self.ended = kind
        self.named.update(text_of(data, name) for name in NAMED_CONTENTS)
        self.last = event

    def check_shape(self, event: Json) -> None:
        """Check the members of the envelope."""
        for name, form in MEMBERS.items():
            if not form.fullmatch(text_of(event, name)):
                self.report("shape", f"{name} is missing or malformed")
        if text_of(event, "type") not in TYPES[kind_of(event)]:
            self.report("shape", "type is not one of the format")
        if not isinstance(event.get("data"), dict):
            self.report("shape", "data is not an object")
        for name in event:
            if name not in KNOWN_MEMBERS:
                self.report("shape", f"{name} is not of the format")

    def check_session(self, event: Json) -> None:
        """Check whose event it is."""
        tenant, session = text_of(event, "tenant"), text_of(event, "subject")
        before = self.last
        if before is not None and (tenant, session) != (text_of(before, "tenant"), text_of(before, "subject")):
            self.report("session", "the event belongs to another tenant or session")
        kind = kind_of(event)
        if text_of(event, "source") != f"/tenants/{tenant}" + ("" if kind == "tenant" else f"/sessions/{session}"):
            self.report("session", "source names another stream")
        if (text_of(event, "type") == FIRST[kind]) != (before is None):
            self.report("session", f"{text_of(event, 'type')} cannot stand here")

    def check_chain(self, event: Json) -> None:
        """Check hash, prevhash and id."""
        if text_of(event, "hash") != hash_of(event) or text_of(event, "hash") == "":
            self.report("hash", "the event was changed")
        if text_of(event, "prevhash") != (GENESIS if self.last is None else text_of(self.last, "hash")):
            self.report("chain", "prevhash is not the hash of the event before")
        identity = text_of(event, "id")
        digest = parts_digest(text_of(event, "tenant"), text_of(event, "subject"), text_of(event, "eventkey"))
        if identity != f"evt_{digest[7:]}":
            self.report("id", "id does not come from tenant, session and eventkey")
        if identity in self.ids:
            self.report("id", f"{identity} stands twice")
        self.ids.add(identity)

    def check_intent(self, data: Json, time: str) -> None:
        """Check that an effect was allowed, by a decision that was not used, and has no outcome yet."""
        effect, decision = text_of(data, "effect_key"), text_of(data, "decision_id")
        reason = why_not_allowed(data, time, self.decisions.get(effect, []))
        if reason is not None:
            self.report("permit", reason)
        if decision in self.used:
            self.report("once", "the decision was used by an intent before")
        if effect in self.settled:
            self.report("once", "the effect has its outcome already")
        self.used.add(decision)
        self.intended[effect] = self.place

    def check_outcome(self, effect: str) -> None:
        """Check that an outcome follows its intent, and is the only one."""
        if effect not in self.intended:
            self.report("intent", "the outcome of an effect that was not intended")
        if effect in self.settled:
            self.report("once", "the effect has its outcome already")
        self.settled.add(effect)

    def conclude(self, contents: Json, head: str | None, *, more: bool) -> Json:
        """Check what concerns the file as a whole, and report."""
        last = self.last or {}
        notes = ["the export says that more events follow"] if more else []
        if head is not None and text_of(last, "hash") != head:
            self.report("chain", "the last hash is not the one given as --head")
        for digest, text in contents.items():
            if not isinstance(text, str) or sha256(text) != digest or digest == "":
                self.report("content", f"the text under {digest} has another digest")
            elif digest not in self.named:
                self.report("content", f"no event names {digest}")
        if self.ended is None and kind_of(last) == "session":
            notes.append("the session has not ended in this file")
        open_effects = (place for effect, place in self.intended.items() if effect not in self.settled)
        notes.extend(f"the effect intended at {place} has no outcome in this file" for place in open_effects)
        return {
            "ok": not self.violations,
            "tenant": text_of(last, "tenant"),
            "session": text_of(last, "subject"),
            "counts": {
                "events": self.events,
                "decisions": self.decided,
                "effects": len(self.intended),
                "contents": len(contents),
            },
            "last": {"sequence": self.place, "hash": text_of(last, "hash")},
            "ended": self.ended,
            "violations": self.violations,
            "notes": notes,
        }


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


def parse_event_line(line: str) -> Json | None:
    """Read a line that is an event by itself; None for any other."""
    try:
        value = parse(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "events" not in value else None


def verify_lines(lines: Iterable[str], head: str | None = None) -> Json:
    """Verify an export, line by line when it is NDJSON. Raises UnreadableError, ValueError or RecursionError."""
    filled = (line for line in lines if line.strip(" \t\r\n"))
    first = next(filled, None)
    if first is None:
        raise UnreadableError("the file holds no events")
    contents: object = {}
    more = False
    event = parse_event_line(first)
    if event is not None:
        events: Iterable[object] = chain([event], map(parse, filled))
    else:
        document = parse("\n".join(chain([first], filled)))
        events = [document]
        if isinstance(document, list):
            events = document
        elif isinstance(document, dict):
            events = document.get("events", [document])
            contents, more = document.get("contents", {}), "next_after" in document
        if not isinstance(events, list) or not isinstance(contents, dict):
            raise UnreadableError("events is not a list, or contents is not an object")
    verifier = Verifier()
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
