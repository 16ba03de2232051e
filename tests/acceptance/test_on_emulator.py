"""Whole processes on the emulator over TCP: every case of `scenarios/` at once, then call servers that are killed.

One platform is started for all of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.cases import TAKEOVERS, Case, cases_for
from tests.acceptance.in_processes import Perform, run_cases
from tests.acceptance.outcomes import Outcome, must_be_as_expected
from tests.acceptance.platform import Platform
from tests.acceptance.ways import on_emulator

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

Stage = tuple[Platform, Perform]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(server_url: str, short_folder: Path) -> AsyncIterator[Stage]:
    """The platform, and people whose scripts run on its node."""
    async with on_emulator(short_folder / "emulator", server_url) as stage:
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(stage: Stage) -> Mapping[str, Outcome]:
    """What came of all cases, performed at the same time."""
    return await run_cases(cases_for("emulator"), *stage)


@pytest.mark.parametrize("case", cases_for("emulator"), ids=lambda case: case.name)
async def test_a_case_in_processes_on_the_emulator(case: Case, outcomes: Mapping[str, Outcome]) -> None:
    must_be_as_expected(outcomes[case.name])


@pytest.mark.parametrize(("case", "call_servers"), TAKEOVERS, ids=lambda one: getattr(one, "name", ""))
async def test_a_call_on_the_emulator_outlives_its_call_server(case: Case, call_servers: int, stage: Stage) -> None:
    platform, perform = stage
    await platform.have_call_servers(call_servers)
    must_be_as_expected((await run_cases([case], platform, perform))[case.name])
