"""Every case of `scenarios/`, run in every way there is."""

from __future__ import annotations

import pytest

from tests.acceptance.cases import Case, read_cases
from tests.acceptance.in_memory import run_in_memory
from tests.acceptance.outcomes import Outcome, problems_of

CASES = read_cases()


def cases_for(way: str) -> list[Case]:
    return [case for case in CASES if case.runs(way)]


def must_be_as_expected(outcome: Outcome) -> None:
    problems = problems_of(outcome)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.mark.parametrize("case", cases_for("memory"), ids=lambda case: case.name)
async def test_a_case_in_memory_on_virtual_time(case: Case) -> None:
    must_be_as_expected(await run_in_memory(case))
