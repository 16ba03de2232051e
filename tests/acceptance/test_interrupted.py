"""Whatever message a link or a call server is lost at: nothing is done twice, nobody is left behind.

Some points of every case, or each one where CALLPLANE_EVERY_POINT is set (a quarter of an hour).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.cases import Case, cases_for
from tests.acceptance.interrupted import Ran, Run, run_interrupted

SOME = 2
CASES = [case for case in cases_for("memory") if case.name != "document_that_redirects_for_ever"]


def points_of(case: Case, count: int, *, is_slow: bool) -> list[int]:
    """Points of a case: others in each case, so that all together are everywhere."""
    if os.environ.get("CALLPLANE_EVERY_POINT"):
        return [*range(count)]
    first = sum(case.name.encode()) + is_slow * count // (2 * SOME)
    return sorted({(first + number * count // SOME) % count for number in range(SOME)})


def problems_of(ran: Ran, undisturbed: Ran) -> list[str]:
    again = Counter(one for leg in ran.executed for one in leg) - Counter(
        one for leg in undisturbed.executed for one in leg
    )
    problems = [f"done again: {what}" for what in again]
    problems += [f"{log.party}: {problem}" for log in ran.logs for problem in log.problems if "nobody ended" in problem]
    problems += [f"{ran.channels} channels are left"] * (ran.channels > 0)
    return problems + [f"{ran.unfinished} calls are not over"] * (ran.unfinished > 0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("happening", [Run.cut, Run.die], ids=["links are cut", "the call server is killed"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_nothing_is_done_twice_and_nobody_is_left_behind(
    case: Case, happening: Callable[[Run], None], tmp_path: Path
) -> None:
    problems = []
    for is_slow in (False, True):
        undisturbed = await run_interrupted(case, tmp_path, None, None, is_slow=is_slow)
        for point in points_of(case, undisturbed.points, is_slow=is_slow):
            ran = await run_interrupted(case, tmp_path, point, happening, is_slow=is_slow)
            problems += [
                f"message {point}, prompts slow {is_slow}, {ran.lost[:120]!r}: {problem}\n{ran.story}"
                for problem in problems_of(ran, undisturbed)
            ]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
