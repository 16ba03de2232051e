"""Every case of `scenarios/` in memory; whole processes run them in test_on_emulator.py and test_on_freeswitch.py."""

from __future__ import annotations

import pytest

from tests.acceptance.cases import Case, cases_for
from tests.acceptance.in_memory import run_in_memory
from tests.acceptance.outcomes import must_be_as_expected


@pytest.mark.parametrize("case", cases_for("memory"), ids=lambda case: case.name)
async def test_a_case_in_memory_on_virtual_time(case: Case) -> None:
    must_be_as_expected(await run_in_memory(case))
