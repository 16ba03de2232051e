"""What call servers had media nodes do to legs, by whoever stood between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.chaos.ledger.reading import CannotLook, lines_of


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `leg` is its channel's UUID. Questions are none.

    `line_since_s` is when the line was opened over which it went; `was_frozen` whether its server stood still in
    the run.
    """

    at_s: float
    server: str
    leg: str
    line: str
    line_since_s: float
    was_frozen: bool

    @property
    def is_claim(self) -> bool:
        """Say whether a server makes a call that came in its own by this: it ends the watchdog that waits for that."""
        return self.line.startswith("api sched_del ")


def read_commands(folder: Path) -> tuple[Command, ...]:
    """commands.jsonl in the order of time; none if the file is not there.

    `{"at", "server", "leg", "line", "line_since", "was_frozen"}`. Raises CannotLook if a line has not all of these.
    """
    try:
        found = (
            Command(
                float(line["at"]),
                str(line["server"]),
                str(line["leg"]),
                str(line["line"]),
                float(line["line_since"]),
                line["was_frozen"] is True,
            )
            for line in lines_of(folder / "commands.jsonl")
        )
        return tuple(sorted(found, key=lambda command: command.at_s))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotLook(f"{folder / 'commands.jsonl'}: {error!r}") from error
