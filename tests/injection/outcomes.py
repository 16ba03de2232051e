"""What became of each attempt: refused with an error for the tenant, or carried out; anything else is a problem."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.injection.application import Answer
from tests.injection.canaries import Canaries
from tests.injection.payloads import Payload
from tests.injection.places import Place

_MOST_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """One value in one place of an application's answer. `number` names its canary's file."""

    number: int
    place: Place
    payload: Payload

    @property
    def name(self) -> str:
        return f"{self.place.name} <- {self.payload.id}"

    def answer(self, canaries: Canaries) -> Answer:
        """The application's answer."""
        return self.place.answer(self.payload.aimed_at(canaries.file(self.number), canaries.host))


@dataclass(slots=True)
class Outcomes:
    """Counts over all attempts, and what went wrong."""

    places: set[str] = field(default_factory=set)
    payloads: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    by_place: dict[str, Counter[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many attempts are through."""
        return self.counts["refused"] + self.counts["carried out"] + self.counts["problems"]

    def refused(self, attempt: Attempt, why: str) -> None:
        """The tenant was told that it cannot be."""
        self.note(attempt.place.name, attempt.payload.id, f"refused {why}")

    def carried_out(self, attempt: Attempt) -> None:
        """It was done, or passed over, and the call went on."""
        self.note(attempt.place.name, attempt.payload.id, "carried out")

    def problem(self, attempt: Attempt | None, what: str) -> None:
        """It must not end like this."""
        if attempt is not None:
            self.note(attempt.place.name, attempt.payload.id, "problems")
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{attempt.name}: {what}" if attempt is not None else what)

    def note(self, place: str, payload: str, outcome: str) -> None:
        """Count an attempt."""
        self.places.add(place)
        self.payloads.add(payload)
        self.counts[outcome.partition(" ")[0] if outcome.startswith("refused") else outcome] += 1
        self.by_place.setdefault(place, Counter())[outcome] += 1
