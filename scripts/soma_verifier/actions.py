"""What people did to a session, and that it was decided before: the check action."""

from __future__ import annotations

from dataclasses import dataclass, field

from soma_verifier.words import Happening, Json, object_of, text_of

ACTIONS = {
    "message.received": "message",
    "approval.granted": "approve",
    "approval.denied": "deny",
    "session.paused": "pause",
    "session.resumed": "resume",
    "budget.extended": "extend-budget",
}
BOUND = ("message_digest", "approval_id", "action_digest")


@dataclass
class Actions:
    """Decisions on actions by action_id, and those that were carried out."""

    decided: dict[str, Json] = field(default_factory=dict)
    done: set = field(default_factory=set)

    def role_of(self, identity: str) -> str | None:
        """Say in which role somebody acted; None without a decision."""
        decided = self.decided.get(identity)
        return None if decided is None else text_of(decided, "by_role")

    def take(self, event: Happening) -> None:
        """Follow one event."""
        identity = text_of(event.data, "action_id")
        if event.kind == "action.decided":
            self.decided[identity] = event.data
        action = ACTIONS.get(event.kind)
        if action is None:
            return
        asked = text_of(event.data, "reason") == "requested" or identity != ""
        if action in ("pause", "resume") and not asked:
            return
        decided = self.decided.get(identity)
        if decided is None:
            event.lacks("action", "no decision on it comes before")
        elif not allows(decided, action, event.data):
            event.report("action", "the decision is a denial, or on something else")
        if identity in self.done:
            event.report("action", "it was carried out before")
        self.done.add(identity)


def allows(decided: Json, action: str, data: Json) -> bool:
    """Say whether a decision allows what an event says was done."""
    arguments = object_of(decided, "arguments")
    return (
        decided.get("allowed") is True
        and text_of(decided, "action") == action
        and text_of(decided, "by") == text_of(data, "by")
        and all(text_of(arguments, name) == text_of(data, name) for name in BOUND)
    )
