"""Approvals from their request to their use: the check approval."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from soma_verifier.words import Happening, Json, is_before, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Approval:
    """An approval that is live."""

    request: Json
    granted_by: set = field(default_factory=set)

    def is_given(self) -> bool:
        """Say whether enough people have granted it."""
        quorum = number_of(self.request, "quorum")
        return bool(quorum) and len(self.granted_by) >= quorum


@dataclass
class Approvals:
    """All approvals of a session."""

    live: dict[str, Approval] = field(default_factory=dict)
    requested: set = field(default_factory=set)

    def none_open(self) -> bool:
        """Say whether no live approval waits for anybody."""
        return all(one.is_given() for one in self.live.values())

    def take(self, event: Happening, role_of: Callable[[str], str | None]) -> None:
        """Follow one event; role_of says in which role policy let somebody act."""
        identity = text_of(event.data, "approval_id")
        if event.kind == "turn.ended":
            self.live.clear()
        elif event.kind == "approval.requested":
            if identity in self.requested:
                event.report("approval", "it was requested before")
            else:
                self.requested.add(identity)
                self.live[identity] = Approval(event.data)
        elif event.kind == "approval.voided":
            self.live.pop(identity, None)
        elif event.kind in ("approval.granted", "approval.denied", "approval.expired"):
            self.decide(event, identity, role_of)

    def decide(self, event: Happening, identity: str, role_of: Callable[[str], str | None]) -> None:
        """Check a grant, a denial or an expiry, and apply it where it breaks no rule."""
        approval = self.live.get(identity)
        if identity not in self.requested:
            event.lacks("approval", "nobody requested it")
        elif approval is None or approval.is_given():
            event.report("approval", "it is closed, or given already")
        elif event.kind == "approval.expired":
            del self.live[identity]
        else:
            broken = broken_rule(event, approval, role_of(text_of(event.data, "action_id")))
            if broken is not None:
                event.report("approval", broken)
            elif event.kind == "approval.granted":
                approval.granted_by.add(text_of(event.data, "by"))
            else:
                del self.live[identity]

    def use(self, intent: Happening, asked: list[tuple[str, int]]) -> None:
        """Check the approval of an intent, and use it up."""
        identity = text_of(intent.data, "approval_id")
        if identity == "":
            if asked:
                intent.report("approval", "the decision asks for one, and the intent names none")
            return
        approval = self.live.pop(identity, None)
        if identity not in self.requested:
            intent.lacks("approval", "nobody requested it")
        elif approval is None:
            intent.report("approval", "it was closed or used before")
        elif not is_good_for(approval, intent) or not is_asked_for(approval, asked):
            intent.report("approval", "it was not given for this effect, action, time, role and number of people")


def broken_rule(event: Happening, approval: Approval, role: str | None) -> str | None:
    """Name the rule that a grant or a denial of a live approval breaks; None for none."""
    by = text_of(event.data, "by")
    request = approval.request
    rule = None
    if text_of(event.data, "action_digest") != text_of(request, "action_digest"):
        rule = "it is for another action"
    elif not is_before(event.time, text_of(request, "expires_at")):
        rule = "its time was over"
    elif event.kind == "approval.granted" and by in (text_of(request, "requested_by"), event.user):
        rule = "who asked cannot grant"
    elif event.kind == "approval.granted" and by in approval.granted_by:
        rule = "this person has granted it before"
    elif role is not None and role != text_of(request, "role"):
        rule = "it is for another role to decide"
    return rule


def is_good_for(approval: Approval, intent: Happening) -> bool:
    """Say whether an approval is given, for this effect and action, and still in time."""
    same = all(
        text_of(approval.request, name) == text_of(intent.data, name) for name in ("effect_key", "action_digest")
    )
    return approval.is_given() and same and is_before(intent.time, text_of(approval.request, "expires_at"))


def is_asked_for(approval: Approval, asked: list[tuple[str, int]]) -> bool:
    """Say whether an approval is what the decision asks for, if it asks."""
    if len(asked) > 1:
        return False
    return all(
        role == text_of(approval.request, "role") and (number_of(approval.request, "quorum") or 0) >= quorum
        for role, quorum in asked
    )
