"""The command: look until all is at rest or the time is over, print one line of JSON.

Exit status 0: balanced; 1: not; 2: it could not look (the line says why).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from tests.chaos.ledger.checks import problems_of
from tests.chaos.ledger.events import times_told
from tests.chaos.ledger.evidence import Evidence, Problem, gather
from tests.chaos.ledger.live_nodes import parse_address
from tests.chaos.ledger.reading import CannotLook

REST_S, LOOK_S = 60.0, 0.5


class Clock(Protocol):
    """What of `time` is needed."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answers its exit status."""
    wanted = _parser().parse_args(arguments)
    try:
        evidence, problems = look_until_at_rest(
            lambda: gather(wanted.run, wanted.database, wanted.node, wanted.spool), wanted.rest_s, wanted.look_s
        )
    except CannotLook as error:
        print(json.dumps({"run": wanted.run.name, "balanced": False, "could_not_look": str(error), "problems": []}))
        return 2
    print(json.dumps(line_of(evidence, problems), ensure_ascii=False))
    return 1 if problems else 0


def look_until_at_rest(
    look: Callable[[], Evidence], rest_s: float, look_s: float, clock: Clock = time
) -> tuple[Evidence, list[Problem]]:
    """Look again and again; answers the last look, which is the second good one in a row, or the one at the end.

    One that is good may have come before something that nobody should have done: hence two. Raises CannotLook if the
    last look could not be had.
    """
    until_s = clock.monotonic() + rest_s
    was_good = False
    while True:
        is_last = clock.monotonic() >= until_s
        try:
            evidence = look()
        except CannotLook:
            if is_last:
                raise
            was_good = False
        else:
            problems = problems_of(evidence)
            if is_last or (was_good and not problems):
                return evidence, problems
            was_good = not problems
        clock.sleep(min(look_s, max(0.0, until_s - clock.monotonic())))


def line_of(evidence: Evidence, problems: Sequence[Problem]) -> dict[str, Any]:
    """What is printed."""
    callers = [pair for pair in evidence.pairs if pair.dialog.is_caller]
    return {
        "run": evidence.run.name,
        "balanced": not problems,
        "calls": len(evidence.tables.calls),
        "answered": sum(pair.dialog.answered_at_s is not None for pair in evidence.pairs),
        "refused": sum(pair.dialog.answered_at_s is None and not pair.rows for pair in callers),
        "lost_with_node": sum(pair.is_lost for pair in evidence.pairs),
        "ended_unseen": sum(evidence.unseen_s(pair) > 0 for pair in evidence.pairs),
        "duplicates": sum(times - 1 for times in times_told(evidence).values() if times > 1),
        "problems": [asdict(problem) for problem in problems],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.ledger", description="Was anything lost in a run?")
    parser.add_argument("run", type=Path, help="the folder of the run")
    parser.add_argument("--database", required=True, metavar="DSN")
    parser.add_argument(
        "--node", action="append", default=[], type=parse_address, metavar="NAME=HOST:PORT:PASSWORD",
        help="a media node that is alive, to look at, too",
    )  # fmt: skip
    parser.add_argument(
        "--spool", action="append", default=[], type=Path, metavar="FOLDER",
        help="where entries of journals wait on a host of ours (CALLPLANE_DATA/spool), to look at, too",
    )  # fmt: skip
    parser.add_argument("--rest-s", type=float, default=REST_S, help="seconds until all must be at rest")
    parser.add_argument("--look-s", type=float, default=LOOK_S, help="seconds between two looks")
    return parser


if __name__ == "__main__":
    sys.exit(main())
