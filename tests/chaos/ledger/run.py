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
    it is gone (its cause is LOST then), and not since when. In those of `unwritable` the API could put nothing on
    record; in those of `speechless` nobody could say how a call goes on, or nothing of it could be kept. In those of
    `forked` a call server that nobody heard of wrote on its own disk what others may have gone on without.
    """

    name: str
    fault_at_s: float | None = None
    healed_at_s: float | None = None
    dead_nodes: frozenset[str] = frozenset()
    unavailable: tuple[tuple[float, float], ...] = ()
    unseen: tuple[tuple[float, float], ...] = ()
    unwritable: tuple[tuple[float, float], ...] = ()
    speechless: tuple[tuple[float, float], ...] = ()
    forked: tuple[tuple[float, float], ...] = ()

    def may_refuse(self, from_s: float, to_s: float | None) -> bool:
        """Say whether refusing a call that was on its way from one time to another (None: to the end) was right."""
        return _meets(self.unavailable, from_s, to_s)

    def may_not_write(self, from_s: float, to_s: float) -> bool:
        """Say whether the API was right to take nothing that was asked from one time to another."""
        return _meets(self.unwritable, from_s, to_s)

    def may_break_off(self, from_s: float, to_s: float | None) -> bool:
        """Say whether a call from one time to another (None: to the end) could not have gone on as it should."""
        return _meets(self.speechless, from_s, to_s)

    def unseen_s(self, from_s: float) -> float:
        """How long after a moment nobody listened; 0 if somebody did."""
        return max((end_s - from_s for begin_s, end_s in self.unseen if begin_s <= from_s <= end_s), default=0.0)

    def may_be_lost(self, node: str | None, invited_at_s: float, ended_at_s: float | None) -> bool:
        """Say whether a dialog may have ended with its node; one whose node is not known may have been on any."""
        if not self.dead_nodes or (node is not None and node not in self.dead_nodes):
            return False
        if self.fault_at_s is None:
            return True
        was_over = ended_at_s is not None and ended_at_s < self.fault_at_s - _ABOUT_S
        return invited_at_s <= self.fault_at_s + _ABOUT_S and not was_over


@dataclass(frozen=True, slots=True)
class Placement:
    """A call that the API was asked for: what it answered (0: nothing), and the call's name if it made one.

    `retry_after` is what the answer says of coming again, "" for nothing.
    """

    to_number: str
    status: int
    call: str | None
    asked_at_s: float = 0.0
    answered_at_s: float = 0.0
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A call that was to be made: who calls, or is called by the API, and when.

    `asks` are paths of the documents that it asks for if it goes on to its end; `rings` is the telephone that is to
    answer on the way, and `calls_back` what status callbacks are to tell of it; `is_recorded` whether something is;
    `is_told` whether events of the call are to be told to the tenant.
    """

    number: str
    is_caller: bool
    at_s: float
    asks: tuple[str, ...] = ()
    rings: str | None = None
    is_recorded: bool = False
    calls_back: tuple[str, ...] = ()
    is_told: bool = True


def read_run(folder: Path) -> Run:
    """run.json; raises CannotLook if it is not there."""
    try:
        told: Mapping[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
        return Run(
            str(told["run"]),
            seconds_or_none(told.get("fault_at")),
            seconds_or_none(told.get("healed_at")),
            frozenset(told.get("dead_nodes", ())),
            _windows(told.get("unavailable", ())),
            _windows(told.get("unseen", ())),
            _windows(told.get("unwritable", ())),
            _windows(told.get("speechless", ())),
            _windows(told.get("forked", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotLook(f"{folder / 'run.json'}: {error}") from error


def _windows(told: Iterable[Iterable[Any]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(begin_s), float(end_s)) for begin_s, end_s in told)


def read_placements(folder: Path) -> tuple[Placement, ...]:
    """placements.jsonl: `{"to", "status", "call", "asked_at", "at", "retry_after"}`; none if the file is not there."""
    return tuple(
        Placement(
            str(line["to"]),
            int(line["status"]),
            text_or_none(line.get("call")),
            float(line["asked_at"]),
            float(line["at"]),
            text_or_none(line.get("retry_after")) or "",
        )
        for line in lines_of(folder / "placements.jsonl")
    )


def read_plans(folder: Path) -> tuple[Plan, ...]:
    """plans.jsonl: `{"number", "role", "at", "asks", "rings", "is_recorded", "calls_back"}`; none if it is not there.

    `is_told` is true where it is not said. Raises CannotLook.
    """
    try:
        return tuple(_plan(line) for line in lines_of(folder / "plans.jsonl"))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotLook(f"{folder / 'plans.jsonl'}: {error!r}") from error


def _plan(line: Mapping[str, Any]) -> Plan:
    return Plan(
        str(line["number"]),
        line["role"] == "caller",
        float(line["at"]),
        tuple(map(str, line["asks"])),
        text_or_none(line["rings"]),
        line["is_recorded"] is True,
        tuple(map(str, line["calls_back"])),
        line.get("is_told") is not False,
    )


def _meets(windows: Iterable[tuple[float, float]], from_s: float, to_s: float | None) -> bool:
    return any(from_s <= end_s and (to_s is None or begin_s <= to_s) for begin_s, end_s in windows)
