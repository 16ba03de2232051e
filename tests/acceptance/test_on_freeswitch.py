"""Whole processes on a real FreeSWITCH, with telephones around it: every case at once, killed call servers, SIPp.

One platform is started for all of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from controlplane.render import MediaNode
from tests.acceptance.cases import TAKEOVERS, Case, cases_for, read_cases
from tests.acceptance.in_processes import Perform, run_cases
from tests.acceptance.outcomes import Outcome, must_be_as_expected
from tests.acceptance.platform import Platform
from tests.acceptance.sipp_caller import SCENARIOS
from tests.acceptance.ways import on_freeswitch
from tests.acceptance.with_sipp import with_sipp

pytestmark = [pytest.mark.freeswitch, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

Stage = tuple[Platform, Perform, MediaNode]
(SIPP_CASE,) = read_cases(SCENARIOS, first=301)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(freeswitch_program: Path, server_url: str, short_folder: Path) -> AsyncIterator[Stage]:
    """The platform, people with telephones, and its node."""
    async with on_freeswitch(short_folder / "real", server_url, freeswitch_program) as stage:
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcomes(stage: Stage) -> Mapping[str, Outcome]:
    """What came of all cases, performed at the same time."""
    platform, perform, _ = stage
    return await run_cases(cases_for("freeswitch"), platform, perform)


@pytest.mark.parametrize("case", cases_for("freeswitch"), ids=lambda case: case.name)
async def test_a_case_in_processes_on_a_real_freeswitch(case: Case, outcomes: Mapping[str, Outcome]) -> None:
    must_be_as_expected(outcomes[case.name])


async def test_sipp_is_served_by_the_platform_on_a_real_freeswitch(sipp: Path, stage: Stage, tmp_path: Path) -> None:
    """RTP both ways, keys as RFC 4733 events, what it hears is checked."""
    platform, _, node = stage
    outcomes = await run_cases([SIPP_CASE], platform, with_sipp(sipp, node, tmp_path))
    must_be_as_expected(outcomes[SIPP_CASE.name])


@pytest.mark.parametrize(("case", "call_servers"), TAKEOVERS, ids=lambda one: getattr(one, "name", ""))
async def test_a_call_on_a_real_freeswitch_outlives_its_call_server(
    case: Case, call_servers: int, stage: Stage
) -> None:
    platform, perform, _ = stage
    await platform.have_call_servers(call_servers)
    must_be_as_expected((await run_cases([case], platform, perform))[case.name])
