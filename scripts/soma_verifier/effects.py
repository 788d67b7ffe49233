"""Decisions, intents and outcomes: the checks permit, intent and once."""

from __future__ import annotations

from dataclasses import dataclass, field

from soma_verifier.words import OUTCOMES, Happening, Json, is_instant, number_of, text_of


@dataclass(frozen=True)
class Decision:
    """What the rules need of a policy.decided."""

    decision_id: str
    action_digest: str
    allowed: bool
    # Role and quorum of each approval that it asks for.
    approvals: list[tuple[str, int]]
    expires_at: str


def read_decision(data: Json) -> Decision:
    """Read the data of a policy.decided."""
    obligations = data.get("obligations")
    listed = [one for one in obligations if isinstance(one, dict)] if isinstance(obligations, list) else []
    asked = [one for one in listed if one.get("kind") == "require_approval"]
    quorums = [number_of(one, "quorum") for one in asked]
    return Decision(
        decision_id=text_of(data, "decision_id"),
        action_digest=text_of(data, "action_digest"),
        allowed=data.get("allowed") is True,
        approvals=[
            (text_of(one, "role"), 1 if quorum is None else quorum) for one, quorum in zip(asked, quorums, strict=True)
        ],
        expires_at=text_of(data, "expires_at"),
    )


@dataclass
class Effects:
    """What was decided, intended and done."""

    decided: int = 0
    decisions: dict[str, list[Decision]] = field(default_factory=dict)
    intended: dict[str, int] = field(default_factory=dict)
    used: set = field(default_factory=set)
    settled: set = field(default_factory=set)

    def take(self, event: Happening, place: int) -> None:
        """Follow one event."""
        effect = text_of(event.data, "effect_key")
        if event.kind == "policy.decided":
            self.decided += 1
            self.decisions.setdefault(effect, []).append(read_decision(event.data))
        elif event.kind == "effect.intended":
            self.check_permit(event)
            decision = text_of(event.data, "decision_id")
            if decision in self.used:
                event.report("once", "the decision was used by an intent before")
            self.used.add(decision)
            if effect in self.settled:
                event.report("once", "the effect has its outcome already")
            self.intended[effect] = place
        elif event.kind in OUTCOMES:
            if effect not in self.intended:
                event.lacks("intent", "the outcome of an effect that was not intended")
            if effect in self.settled:
                event.report("once", "the effect has its outcome already")
            self.settled.add(effect)

    def decision_for(self, intent: Json) -> tuple[Decision | None, list[Decision]]:
        """Find the decision that an intent names, and all on its effect from there on."""
        on_effect = self.decisions.get(text_of(intent, "effect_key"), [])
        wanted = text_of(intent, "decision_id")
        places = [place for place, one in enumerate(on_effect) if one.decision_id == wanted]
        return (on_effect[places[-1]], on_effect[places[-1] :]) if places else (None, [])

    def check_permit(self, event: Happening) -> None:
        """Check that the decisions on its effect so far allow an intent."""
        meant, since = self.decision_for(event.data)
        action = text_of(event.data, "action_digest")
        if "" in (action, text_of(event.data, "decision_id"), text_of(event.data, "effect_key")):
            event.report("permit", "the intent does not name its decision, effect and action")
        elif meant is None:
            event.lacks("permit", "no decision with this id about this effect comes before the intent")
        elif meant.action_digest != action:
            event.report("permit", "the decision was about another action")
        elif not all(one.allowed for one in since):
            event.report("permit", "the effect was denied")
        elif not (is_instant(event.time) and is_instant(meant.expires_at) and event.time <= meant.expires_at):
            event.report("permit", "the decision had expired")
