"""One thing gone wrong at a time, and what the ledger must say of it: the checks that must speak up, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.postgres.ledger.scene import Scene

Mutate = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is done to a run that balances. `whose` is the person whose call must be named, "" for none."""

    name: str
    checks: frozenset[str]
    mutate: Mutate
    whose: str = ""


def entering(into: list[Mutation]) -> Callable[..., Callable[[Mutate], Mutate]]:
    """A decorator that enters a mutation into a list: its name, the checks that must speak up, whose call they name."""

    def lose(name: str, *checks: str, whose: str = "") -> Callable[[Mutate], Mutate]:
        def enter(mutate: Mutate) -> Mutate:
            into.append(Mutation(name, frozenset(checks), mutate, whose))
            return mutate

        return enter

    return lose
