"""The session's states: the check state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soma_verifier.words import SESSION_TYPES, Happening, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

AT_WORK = ("running", "waiting_approval", "waiting_budget")
ANY = ("starting", "waiting_input", *AT_WORK)
SAME = "the same"
DECIDED = ("approval.granted", "approval.denied")
REMARKS = (
    "policy.decided",
    "token.issued",
    "effect.completed",
    "effect.failed",
    "memory.recalled",
    "memory.remembered",
    "memory.skipped",
    "dependency.unavailable",
    "dependency.recovered",
    "action.decided",
    "action.refused",
    "session.cancel_requested",
    "session.resumed",
)


@dataclass(frozen=True)
class Row:
    """One row of the document's table."""

    events: tuple[str, ...]
    phases: tuple[str, ...]
    leads_to: str
    condition: str = ""
    unpaused: bool = False


ROWS = (
    Row(("policy.decided",), ("starting",), "running", condition="allowed"),
    Row(REMARKS, ANY, SAME),
    Row(("effect.intended",), AT_WORK, SAME, unpaused=True),
    Row(("message.received", "session.paused"), ANY, SAME, unpaused=True),
    Row(("turn.started",), ("waiting_input",), "running", unpaused=True),
    Row(("turn.ended",), ("starting", *AT_WORK), "waiting_input"),
    Row(("approval.requested",), ("starting", "running", "waiting_approval"), "waiting_approval"),
    Row(DECIDED, ("waiting_approval",), "running", condition="none open", unpaused=True),
    Row(DECIDED, ("waiting_approval",), SAME, unpaused=True),
    Row(("approval.expired", "approval.voided"), ("waiting_approval",), "running", condition="none open"),
    Row(("approval.expired",), ("waiting_approval",), SAME),
    Row(("approval.voided",), ANY, SAME),
    Row(("budget.exhausted",), ("running", "waiting_budget"), "waiting_budget"),
    Row(("budget.extended",), ("waiting_budget",), "running"),
    Row(("budget.extended",), ANY, SAME),
    Row(("session.completed",), ("running", "waiting_input"), "completed"),
    Row(("session.denied",), ("starting", "running", "waiting_input"), "denied"),
    Row(("session.failed",), ANY, "failed"),
    Row(("session.canceled",), ANY, "canceled"),
    Row(("session.timed_out",), ANY, "timed_out"),
)
NOT_WHILE_CANCELING = ("effect.intended", "approval.granted", "message.received")


@dataclass
class States:
    """Where a session is."""

    phase: str = "starting"
    # Why it is paused; None while it is not.
    pause: str | None = None
    canceling: bool = False
    interactive: bool = False

    def take(self, event: Happening, none_open: Callable[[], bool]) -> None:
        """Follow one event; none_open says whether no approval is open after it."""
        kind, data = event.kind, event.data
        if kind == "session.created":
            self.interactive = text_of(data, "mode") == "interactive"
        if kind == "session.created" or kind not in SESSION_TYPES:
            return
        row = self.row_for(event, none_open)
        broken = (
            row is None
            or (row.unpaused and self.pause is not None)
            or (self.canceling and kind in NOT_WHILE_CANCELING)
            or (kind == "message.received" and not self.interactive)
            or (kind == "session.resumed" and self.pause not in (None, text_of(data, "reason")))
        )
        if broken or row is None:
            paused = "" if self.pause is None else ", paused"
            event.report("state", f"{kind} cannot come in the phase {self.phase}{paused}")
            return
        if row.leads_to != SAME:
            self.phase = row.leads_to
        if kind == "session.paused":
            self.pause = text_of(data, "reason")
        elif kind == "session.resumed":
            self.pause = None
        elif kind == "session.cancel_requested":
            self.canceling = True

    def row_for(self, event: Happening, none_open: Callable[[], bool]) -> Row | None:
        """Find the first row that fits."""
        for row in ROWS:
            if event.kind not in row.events or self.phase not in row.phases:
                continue
            allowed = row.condition != "allowed" or event.data.get("allowed") is True
            if allowed and (row.condition != "none open" or none_open()):
                return row
        return None
