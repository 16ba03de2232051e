"""What the harness says of its run: what it broke, when, and when refusing calls was right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.ledger.reading import CannotLook, lines_of, seconds_or_none, text_or_none

# How much earlier than `fault_at` or later a node may have died.
_ABOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `dead_nodes` are media nodes whose process was killed in it, at `fault_at_s` (seconds of the epoch).

    `unseen` are windows in which nobody listened to the nodes: of a leg that ended in one, the platform can know that
    it is gone (its cause is LOST then), and not since when.
    """

    name: str
    fault_at_s: float | None = None
    dead_nodes: frozenset[str] = frozenset()
    unavailable: tuple[tuple[float, float], ...] = ()
    unseen: tuple[tuple[float, float], ...] = ()

    def may_refuse(self, from_s: float, to_s: float | None) -> bool:
        """Say whether refusing a call that was on its way from one time to another (None: to the end) was right."""
        return any(from_s <= end_s and (to_s is None or begin_s <= to_s) for begin_s, end_s in self.unavailable)

    def unseen_s(self, from_s: float) -> float:
        """How long after a moment nobody listened; 0 if somebody did."""
        return max((end_s - from_s for begin_s, end_s in self.unseen if begin_s <= from_s <= end_s), default=0.0)

    def may_be_lost(self, node: str | None, invited_at_s: float) -> bool:
        """Say whether a dialog may have ended with its node; one whose node is not known may have been on any."""
        if not self.dead_nodes or (node is not None and node not in self.dead_nodes):
            return False
        return self.fault_at_s is None or invited_at_s <= self.fault_at_s + _ABOUT_S


@dataclass(frozen=True, slots=True)
class Placement:
    """A call that the API was asked for: what it answered, and the call's name if it made one."""

    to_number: str
    status: int
    call: str | None


def read_run(folder: Path) -> Run:
    """run.json; raises CannotLook if it is not there."""
    try:
        told: Mapping[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
        return Run(
            str(told["run"]),
            seconds_or_none(told.get("fault_at")),
            frozenset(told.get("dead_nodes", ())),
            _windows(told.get("unavailable", ())),
            _windows(told.get("unseen", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotLook(f"{folder / 'run.json'}: {error}") from error


def _windows(told: Iterable[Iterable[Any]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(begin_s), float(end_s)) for begin_s, end_s in told)


def read_placements(folder: Path) -> tuple[Placement, ...]:
    """placements.jsonl: `{"to", "status", "call"}`; none if the file is not there."""
    return tuple(
        Placement(str(line["to"]), int(line["status"]), text_or_none(line.get("call")))
        for line in lines_of(folder / "placements.jsonl")
    )
