"""One ledger, event by event: the envelope, the chain, and what the rules of the other modules say."""

from __future__ import annotations

from dataclasses import dataclass, field

from soma_verifier.actions import Actions
from soma_verifier.approvals import Approvals
from soma_verifier.budgets import Budget
from soma_verifier.effects import Effects
from soma_verifier.states import States
from soma_verifier.words import (
    ENDS,
    FIRST,
    GENESIS,
    KNOWN_MEMBERS,
    MAX_WHOLE,
    MEMBERS,
    NAMED_CONTENTS,
    TYPES,
    Happening,
    Json,
    hash_of,
    kind_of,
    object_of,
    parts_digest,
    sha256,
    text_of,
)


@dataclass(frozen=True)
class Gap:
    """What was cut from the beginning."""

    first: int
    last: int
    hash: str


@dataclass
class Verifier:
    """What is known of a ledger after the events so far."""

    gap: Gap | None = None
    violations: list[Json] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    last: Json | None = None
    place: int = 0
    events: int = 0
    ended: str | None = None
    ids: set = field(default_factory=set)
    named: set = field(default_factory=set)
    effects: Effects = field(default_factory=Effects)
    approvals: Approvals = field(default_factory=Approvals)
    actions: Actions = field(default_factory=Actions)
    budget: Budget = field(default_factory=Budget)
    states: States = field(default_factory=States)

    def __post_init__(self) -> None:
        """Begin behind the gap, if there is one."""
        if self.gap is not None:
            self.place = self.gap.last
            self.notes.append(f"events {self.gap.first} to {self.gap.last} were cut: state and budget are not judged")

    def report(self, check: str, what: str) -> None:
        """Note a violation at the event that is being read."""
        self.violations.append({"seq": self.place, "check": check, "what": what})

    def lacks(self, check: str, what: str) -> None:
        """Note that an event before is missing: a violation, unless it may have been cut."""
        if self.gap is None:
            self.report(check, what)
        else:
            self.notes.append(f"at {self.place}, {check}: what is needed may be among the events that were cut")

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
        self.follow(event)
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
        if (text_of(event, "type") == FIRST[kind]) != (before is None and self.gap is None):
            self.report("session", f"{text_of(event, 'type')} cannot stand here")

    def check_chain(self, event: Json) -> None:
        """Check hash, prevhash and id."""
        if text_of(event, "hash") != hash_of(event) or text_of(event, "hash") == "":
            self.report("hash", "the event was changed")
        first = GENESIS if self.gap is None else self.gap.hash
        if text_of(event, "prevhash") != (first if self.last is None else text_of(self.last, "hash")):
            self.report("chain", "prevhash is not the hash of the event before")
        identity = text_of(event, "id")
        digest = parts_digest(text_of(event, "tenant"), text_of(event, "subject"), text_of(event, "eventkey"))
        if identity != f"evt_{digest[7:]}":
            self.report("id", "id does not come from tenant, session and eventkey")
        if identity in self.ids:
            self.report("id", f"{identity} stands twice")
        self.ids.add(identity)

    def follow(self, event: Json) -> None:
        """Let each rule follow the event."""
        happening = Happening(
            kind=text_of(event, "type"),
            data=object_of(event, "data"),
            time=text_of(event, "time"),
            user=text_of(event, "user"),
            report=self.report,
            lacks=self.lacks,
        )
        self.actions.take(happening)
        self.approvals.take(happening, self.actions.role_of)
        self.effects.take(happening, self.place)
        if happening.kind == "effect.intended":
            meant, _ = self.effects.decision_for(happening.data)
            self.approvals.use(happening, [] if meant is None else meant.approvals)
        if self.ended is not None:
            self.report("end", f"{happening.kind} follows {self.ended}")
        elif self.gap is None and kind_of(event) == "session":
            self.budget.take(happening)
            self.states.take(happening, self.approvals.none_open)
        if happening.kind in ENDS:
            self.ended = happening.kind
        self.named.update(text_of(happening.data, name) for name in NAMED_CONTENTS)
        self.named.add(text_of(object_of(happening.data, "arguments"), "reason_digest"))

    def conclude(self, contents: Json, head: str | None, *, more: bool) -> Json:
        """Check what concerns the file as a whole, and report."""
        last = self.last or {}
        notes = [*self.notes, *(["the export says that more events follow"] if more else [])]
        if head is not None and text_of(last, "hash") != head:
            self.report("chain", "the last hash is not the one given as --head")
        for digest, text in contents.items():
            if not isinstance(text, str) or sha256(text) != digest or digest == "":
                self.report("content", f"the text under {digest} has another digest")
            elif digest not in self.named and self.gap is None:
                self.report("content", f"no event names {digest}")
        if self.ended is None and kind_of(last) == "session":
            notes.append("the session has not ended in this file")
        done = self.effects.settled
        open_effects = (place for effect, place in self.effects.intended.items() if effect not in done)
        notes.extend(f"the effect intended at {place} has no outcome in this file" for place in open_effects)
        return {
            "ok": not self.violations,
            "tenant": text_of(last, "tenant"),
            "session": text_of(last, "subject"),
            "counts": {
                "events": self.events,
                "decisions": self.effects.decided,
                "effects": len(self.effects.intended),
                "contents": len(contents),
            },
            "last": {"sequence": self.place, "hash": text_of(last, "hash")},
            "ended": self.ended,
            "violations": self.violations,
            "notes": notes,
        }
