"""A call server is killed in the middle of a prompt: the call goes on, and its caller does not notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.cases import Case, read_cases
from tests.acceptance.in_processes import run_cases
from tests.acceptance.outcomes import must_be_as_expected
from tests.acceptance.ways import on_emulator, on_freeswitch

CALL_SERVERS = {"killed_second": 2, "killed_restarted": 1}
CASES = read_cases(Path(__file__).parent / "takeovers")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_call_on_the_emulator_outlives_its_call_server(case: Case, server_url: str, short_folder: Path) -> None:
    folder, servers = short_folder / f"emulator-{case.name}", CALL_SERVERS[case.name]
    async with on_emulator(folder, server_url, call_servers=servers) as (platform, perform):
        must_be_as_expected((await run_cases([case], platform, perform))[case.name])


@pytest.mark.freeswitch
@pytest.mark.timeout(180)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_call_on_a_real_freeswitch_outlives_its_call_server(
    case: Case, server_url: str, short_folder: Path, freeswitch_program: Path
) -> None:
    folder, servers = short_folder / f"real-{case.name}", CALL_SERVERS[case.name]
    async with on_freeswitch(folder, server_url, freeswitch_program, call_servers=servers) as (platform, perform):
        must_be_as_expected((await run_cases([case], platform, perform))[case.name])
