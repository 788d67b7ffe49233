"""What a session may cost: the check budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from soma_verifier.words import MAX_WHOLE, OUTCOMES, Happening, Json, moment_of, number_of, object_of, text_of

if TYPE_CHECKING:
    from datetime import datetime

LIMITS = ("tokens", "cost_micros", "steps", "wall_seconds")
NOTHING_RAN = frozenset(
    {
        "MODEL_NOT_FOUND",
        "MODEL_PROMPT_TOO_LONG",
        "MEMORY_REJECTED",
        "MEMORY_TOKEN_REFUSED",
        "MEMORY_UNAVAILABLE",
    },
)
Amounts = tuple[int, int]


def amounts(record: Json, tokens: str = "tokens") -> Amounts:
    """Read tokens and money; what is no number is nothing."""
    return number_of(record, tokens) or 0, number_of(record, "cost_micros") or 0


@dataclass
class Budget:
    """Limits of a session, None without a budget, and what was spent and set aside."""

    limits: dict[str, int] | None = None
    begun: datetime | None = None
    spent: Amounts = (0, 0)
    steps: int = 0
    reserved: dict[str, Amounts] = field(default_factory=dict)

    def take(self, event: Happening) -> None:
        """Follow one event."""
        if event.kind == "session.created" and "budget" in event.data:
            given = object_of(event.data, "budget")
            read = {name: number_of(given, name) for name in LIMITS}
            self.limits = {name: limit for name, limit in read.items() if limit is not None}
            self.begun = moment_of(event.time)
        elif event.kind == "budget.extended":
            self.extend(event)
        elif self.limits is not None and event.kind == "effect.intended":
            self.intend(event, self.limits)
        elif self.limits is not None and event.kind in OUTCOMES:
            self.settle(event, self.limits)

    def extend(self, event: Happening) -> None:
        """Raise the limits that there are."""
        if self.limits is None:
            event.report("budget", "the session has none to extend")
            return
        added = object_of(event.data, "added")
        self.limits = {
            name: min(limit + (number_of(added, name) or 0), MAX_WHOLE) for name, limit in self.limits.items()
        }

    def intend(self, event: Happening, limits: dict[str, int]) -> None:
        """Set aside what an effect may take at most."""
        effect = text_of(event.data, "effect_key")
        if effect not in self.reserved:
            self.steps += 1
        self.reserved[effect] = amounts(object_of(event.data, "reserved"))
        self.check_amounts(event, limits)
        if "steps" in limits and self.steps > limits["steps"]:
            event.report("budget", "more steps have begun than it has")
        if "wall_seconds" in limits:
            now = moment_of(event.time)
            known = now is not None and self.begun is not None
            if not known or (now - self.begun) >= timedelta(seconds=min(limits["wall_seconds"], 10**12)):
                event.report("budget", "its time is over")

    def settle(self, event: Happening, limits: dict[str, int]) -> None:
        """Put what was spent in the place of what was set aside."""
        set_aside = self.reserved.pop(text_of(event.data, "effect_key"), (0, 0))
        used: Amounts = (0, 0)
        if event.kind == "effect.completed":
            tokens, _ = amounts(object_of(event.data, "usage"), "total_tokens")
            used = (tokens, amounts(event.data)[1])
        elif event.kind == "effect.failed" and text_of(event.data, "code") not in NOTHING_RAN:
            used = set_aside
        self.spent = (self.spent[0] + used[0], self.spent[1] + used[1])
        self.check_amounts(event, limits)

    def check_amounts(self, event: Happening, limits: dict[str, int]) -> None:
        """Check that tokens and money, spent and set aside, are within their limits."""
        for place, name in enumerate(("tokens", "cost_micros")):
            total = self.spent[place] + sum(one[place] for one in self.reserved.values())
            if name in limits and total > limits[name]:
                event.report("budget", f"more {name} are spent and set aside than it has")
