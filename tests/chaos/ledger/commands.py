"""What call servers had media nodes do to legs, by whoever stood between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.chaos.ledger.reading import CannotLook, lines_of


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `leg` is its channel's UUID. Questions are none."""

    at_s: float
    server: str
    leg: str
    line: str


def read_commands(folder: Path) -> tuple[Command, ...]:
    """commands.jsonl in the order of time: `{"at", "server", "leg", "line"}`; none if the file is not there."""
    try:
        found = (
            Command(float(line["at"]), str(line["server"]), str(line["leg"]), str(line["line"]))
            for line in lines_of(folder / "commands.jsonl")
        )
        return tuple(sorted(found, key=lambda command: command.at_s))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotLook(f"{folder / 'commands.jsonl'}: {error!r}") from error
